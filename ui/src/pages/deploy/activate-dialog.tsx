import { useQuery } from '@tanstack/react-query';
import { describe } from '@/api/errors';
import { useActivateRevision } from '@/api/mutations';
import { revisionDiffQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { ConfirmDialog } from '@/ui/confirm-dialog';
import { SkeletonRows } from '@/ui/skeleton';
import { toast } from '@/ui/toast-store';
import { ChangeGroups } from './changes';

interface Props {
  /** The revision to go back to. */
  number: number;
  /** The live one; 0 when nothing is. */
  live: number;
  onClose: () => void;
}

/** Asks before an earlier revision replaces the live one, and shows what that changes for clients. */
export function ActivateDialog({ number, live, onClose }: Props) {
  const diff = useQuery({ ...revisionDiffQuery(live, number), enabled: live > 0 });
  const activate = useActivateRevision();
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      size="lg"
      intent="primary"
      title={`Activate revision ${number}`}
      verb={`Activate revision ${number}`}
      describeError={(error) => describe(error).cause}
      onConfirm={async () => {
        const { revision } = await activate.mutateAsync(number);
        toast(`Deploying revision ${revision}, a copy of ${number}.`, { tone: 'info' });
      }}
    >
      <p>
        {live > 0
          ? `Clients get revision ${number} again instead of ${live}. What you saved since stays saved and can be deployed later.`
          : `Clients can call what was in revision ${number} again.`}
      </p>
      {live > 0 && (
        <QueryState query={diff} what="the differences" skeleton={<SkeletonRows rows={3} />}>
          {({ changes }) =>
            changes.length > 0 ? <ChangeGroups changes={changes} /> : <p>The two revisions are the same.</p>
          }
        </QueryState>
      )}
    </ConfirmDialog>
  );
}
