import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { entityHistoryQuery } from '@/api/queries';
import { Time } from '@/components/time';
import { actorName } from '@/lib/actor';
import { Button } from '@/ui/button';
import { Bar } from './bar';
import type { FieldTable } from './fields';
import { ReviewDialog } from './review-dialog';

interface Props<F> {
  /** "This tool was", "These settings were". */
  subject: string;
  /** Whose history says who changed it. */
  entity: { type: string; id: string };
  stored: { version: number; updated_at: string };
  fields: FieldTable<F>;
  /** What both sides started from. */
  base: F;
  mine: F;
  theirs: F;
  pending: boolean;
  /** Goes on with a merged form on top of theirs. */
  onMerge: (form: F, save: boolean) => void;
  /** Absent where there can be only one. */
  onCopy?: () => void;
  onDiscard: () => void;
}

/**
 * Somebody else saved this while it was edited here. A bar and no toast: it stays until it is decided, and nothing is
 * overwritten but inside the review.
 */
export function ConflictBar<F>(props: Props<F>) {
  const { subject, entity, stored, fields, base, mine, theirs, pending, onMerge, onCopy, onDiscard } = props;
  const [reviewing, setReviewing] = useState(false);
  const history = useQuery(entityHistoryQuery(entity.type, entity.id, 1));
  const who = history.data?.items[0]?.actor;
  return (
    <Bar
      tone="warn"
      urgent
      actions={
        <>
          <Button size="sm" intent="primary" onClick={() => setReviewing(true)}>
            Review differences
          </Button>
          {onCopy && (
            <Button size="sm" pending={pending} onClick={onCopy}>
              Save mine as a copy
            </Button>
          )}
          <Button size="sm" intent="ghost" onClick={onDiscard}>
            Discard mine
          </Button>
        </>
      }
    >
      {subject} changed by {who ? actorName(who) : 'somebody else'} <Time at={stored.updated_at} /> (version{' '}
      {stored.version}). What you typed is still here and not saved.
      {reviewing && (
        <ReviewDialog
          fields={fields}
          base={base}
          mine={mine}
          theirs={theirs}
          onClose={() => setReviewing(false)}
          onMerge={(form, save) => {
            setReviewing(false);
            onMerge(form, save);
          }}
        />
      )}
    </Bar>
  );
}
