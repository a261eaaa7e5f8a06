import { useQuery } from '@tanstack/react-query';
import { Layers } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { revisionsQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { formatBytes } from '@/lib/format';
import { states as words } from '@/lib/words';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';
import { State, type StateKind } from '@/ui/state';
import { Table, Td, Th, Tr } from '@/ui/table';

const ActivateDialog = lazy(() => import('./activate-dialog').then((m) => ({ default: m.ActivateDialog })));

type Revision = components['schemas']['Revision'];

const states: Record<Revision['state'], [kind: StateKind, word: string]> = {
  starting: ['saved', 'Starting'],
  live: ['live', words.live],
  retired: ['draft', 'Replaced'],
  failed: ['error', 'Failed'],
};
const pageSize = 25;

export function Revisions() {
  const [limit, setLimit] = useState(pageSize);
  const [activating, setActivating] = useState<number>();
  const query = useQuery({ ...revisionsQuery({ limit }), placeholderData: (before) => before });
  return (
    <Card flush className="overflow-hidden">
      <QueryState query={query} what="revisions" skeleton={<SkeletonRows />}>
        {({ items, total }) =>
          items.length === 0 ? (
            <EmptyState icon={<Layers aria-hidden />} title="No revisions yet">
              Each deploy makes one. Any earlier revision can be activated again.
            </EmptyState>
          ) : (
            <>
              <RevisionTable items={items} onActivate={setActivating} />
              {items.length < total && limit < 100 && (
                <div className="border-t border-line p-2 text-center">
                  <Button size="sm" intent="ghost" onClick={() => setLimit(Math.min(100, limit + pageSize))}>
                    Show more
                  </Button>
                </div>
              )}
              <Suspense>
                {activating !== undefined && (
                  <ActivateDialog
                    number={activating}
                    live={items.find((r) => r.state === 'live')?.number ?? 0}
                    onClose={() => setActivating(undefined)}
                  />
                )}
              </Suspense>
            </>
          )
        }
      </QueryState>
    </Card>
  );
}

function RevisionTable({ items, onActivate }: { items: readonly Revision[]; onActivate: (number: number) => void }) {
  return (
    <Table label="Revisions">
      <thead>
        <tr>
          <Th>Revision</Th>
          <Th>State</Th>
          <Th>Deployed</Th>
          <Th className="max-sm:hidden">By</Th>
          <Th className="max-sm:hidden">Note</Th>
          <Th num className="max-sm:hidden">
            Size
          </Th>
          <Th>
            <span className="sr-only">Actions</span>
          </Th>
        </tr>
      </thead>
      <tbody>
        {items.map((r) => (
          <Tr key={r.number}>
            <Td className="font-medium tabular-nums">{r.number}</Td>
            <Td>
              <State kind={states[r.state][0]}>{states[r.state][1]}</State>
            </Td>
            <Td>
              <Time at={r.created_at} />
            </Td>
            <Td className="max-sm:hidden">{r.author.name || r.author.kind}</Td>
            <Td className="max-w-72 text-muted max-sm:hidden">
              <span className="block truncate" title={r.error || r.note}>
                {r.error || r.note || '–'}
              </span>
            </Td>
            <Td num className="text-muted max-sm:hidden">
              {formatBytes(r.size)}
            </Td>
            <Td className="text-right">
              {r.state === 'retired' && (
                <Button size="sm" onClick={() => onActivate(r.number)}>
                  Activate<span className="sr-only"> revision {r.number}</span>
                </Button>
              )}
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
