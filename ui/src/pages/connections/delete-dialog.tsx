import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { describe } from '@/api/errors';
import { useDeleteConnection, useSaveConnection } from '@/api/mutations';
import { connectionUsageQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { formatList, plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { states } from '@/lib/words';
import { ConfirmDialog } from '@/ui/confirm-dialog';
import { Skeleton } from '@/ui/skeleton';
import { toast } from '@/ui/toast-store';
import type { User } from './used-by';
import type { Connection } from './values';

interface Props {
  connection: Connection;
  onClose: () => void;
  onDeleted: () => void;
}

/** Deleting what others use shows who, and offers to disable it instead. */
export function DeleteDialog({ connection, onClose, onDeleted }: Props) {
  const usage = useQuery({ ...connectionUsageQuery(connection.id), staleTime: 0 });
  const remove = useDeleteConnection();
  const save = useSaveConnection();
  const users = usage.data?.items ?? [];
  const what = counted(users);

  const onDelete = async () => {
    await remove.mutateAsync({ id: connection.id, cascade: users.length > 0 });
    toast(`Deleted ${connection.name}${what && ` with ${what}`}.`);
    onDeleted();
  };
  const onDisable = async () => {
    await save.mutateAsync({ id: connection.id, patch: { version: connection.version, is_active: false } });
    toast(`${states.disabled} ${connection.name}.`);
  };

  return (
    <ConfirmDialog
      open
      onClose={onClose}
      size="md"
      title={`Delete connection ${connection.name}`}
      verb={what ? `Delete it with ${what}` : 'Delete connection'}
      waiting={usage.isPending}
      onConfirm={onDelete}
      other={users.length > 0 && connection.is_active ? { verb: 'Disable instead', run: onDisable } : undefined}
      describeError={(error) => describe(error).cause}
    >
      <QueryState query={usage} what="what uses it" skeleton={<Skeleton className="h-4 w-64" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p>Nothing uses it. Its stored password is deleted too.</p>
          ) : (
            <>
              <p>
                These run their SQL through it and are deleted with it. The live server keeps serving them until the
                next deploy.
              </p>
              <UserList users={items} onFollow={onClose} />
            </>
          )
        }
      </QueryState>
    </ConfirmDialog>
  );
}

function UserList({ users, onFollow }: { users: readonly User[]; onFollow: () => void }) {
  return (
    <ul className="max-h-56 overflow-y-auto rounded-md border border-line">
      {users.map((u) => (
        <li key={u.id} className="flex items-center gap-3 border-b border-line px-3 py-1.5 last:border-b-0">
          <span className="min-w-0 flex-1 truncate font-mono text-label text-fg">
            {u.type === 'tool' ? (
              <Link
                to={paths.tool}
                params={{ id: u.id }}
                onClick={onFollow}
                className="rounded text-link hover:underline"
              >
                {u.name}
              </Link>
            ) : (
              u.name
            )}
          </span>
          <span className="text-label">{u.type}</span>
        </li>
      ))}
    </ul>
  );
}

/** "3 tools and 1 resource"; empty when there are none. */
function counted(users: readonly User[]): string {
  const parts = ['tool', 'resource'].flatMap((type) => {
    const n = users.filter((u) => u.type === type).length;
    return n === 0 ? [] : [plural(n, type)];
  });
  return parts.length === 0 ? '' : formatList(parts);
}
