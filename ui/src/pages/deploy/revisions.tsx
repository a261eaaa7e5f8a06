import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Layers } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { revisionsQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { pageSize } from '@/components/list/address';
import { Pager } from '@/components/list/pager';
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

interface Props {
  page: number;
  /** Undefined is the first page, as addresses have it. */
  onPage: (page: number | undefined) => void;
  /** The number of the live one; 0 when nothing is. */
  live: number;
}

export function Revisions({ page, onPage, live }: Props) {
  const [activating, setActivating] = useState<number>();
  const part = { limit: pageSize, skip: (page - 1) * pageSize };
  const query = useQuery({ ...revisionsQuery(part), placeholderData: keepPreviousData });
  return (
    <div className="grid grid-cols-1 gap-3">
      <Card flush className="overflow-hidden">
        <QueryState query={query} what="revisions" skeleton={<SkeletonRows />}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState icon={<Layers aria-hidden />} title={page > 1 ? 'No older revisions' : 'No revisions yet'}>
                Each deploy makes one. Any of the newest can be activated again.
              </EmptyState>
            ) : (
              <>
                <RevisionTable items={items} onActivate={setActivating} />
                {items.some((r) => r.state === 'retired' && !r.kept) && (
                  <p className="border-t border-line px-4 py-2.5 text-control text-muted">
                    What the newest 50 revisions ran is kept. Older ones cannot be activated again; their entries stay.
                  </p>
                )}
              </>
            )
          }
        </QueryState>
      </Card>
      {query.data && <Pager noun="revision" page={page} total={query.data.total} onPage={onPage} />}
      <Suspense>
        {activating !== undefined && (
          <ActivateDialog number={activating} live={live} onClose={() => setActivating(undefined)} />
        )}
      </Suspense>
    </div>
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
            <Td className="max-sm:max-w-40">
              <State kind={states[r.state][0]}>{states[r.state][1]}</State>
              <span className="block text-label break-words whitespace-normal text-muted sm:hidden">
                {r.error || r.note}
              </span>
            </Td>
            <Td>
              <Time at={r.created_at} />
            </Td>
            <Td className="max-sm:hidden">{r.author.name || r.author.kind}</Td>
            <Td className="min-w-60 max-w-96 whitespace-normal! text-muted max-sm:hidden">
              <span className="block py-1.5 break-words">{r.error || r.note || '–'}</span>
            </Td>
            <Td num className="text-muted max-sm:hidden">
              {formatBytes(r.size)}
            </Td>
            <Td className="text-right">
              {r.state === 'retired' && !r.kept && <span className="text-label text-muted">not kept</span>}
              {r.state === 'retired' && r.kept && (
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
