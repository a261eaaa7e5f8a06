import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FileText, Plus, Wrench } from 'lucide-react';
import { connectionUsageQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';

export type User = components['schemas']['Usage'];

const icons = { tool: Wrench, resource: FileText };

/** The tools and resources that run their SQL through a connection. */
export function UsedBy({ connection }: { connection: string }) {
  const usage = useQuery(connectionUsageQuery(connection));
  return (
    <Card flush label="Used by">
      <QueryState query={usage} what="what uses it" skeleton={<SkeletonRows rows={3} columns={2} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState
              icon={<Wrench aria-hidden />}
              title="Nothing uses it yet"
              actions={
                <Link to={paths.toolNew} search={{ connection }} className={buttonClass('primary')}>
                  <Plus aria-hidden />
                  Create tool
                </Link>
              }
            >
              A tool runs one SQL statement through this connection.
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line">
              {items.map((u) => (
                <UserRow key={u.id} user={u} />
              ))}
            </ul>
          )
        }
      </QueryState>
    </Card>
  );
}

function UserRow({ user }: { user: User }) {
  const kind = user.type === 'resource' ? 'resource' : 'tool';
  const Icon = icons[kind];
  return (
    <li className="flex min-h-10 items-center gap-3 px-4 py-2">
      <Icon aria-hidden className="text-muted" />
      <span className="min-w-0 flex-1 truncate font-mono text-control">
        {kind === 'tool' ? (
          <Link to={paths.tool} params={{ id: user.id }} className="rounded hover:text-link hover:underline">
            {user.name}
          </Link>
        ) : (
          user.name
        )}
      </span>
      <span className="text-label text-muted">{kind}</span>
    </li>
  );
}
