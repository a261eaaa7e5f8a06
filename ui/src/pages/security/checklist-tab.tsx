import { useQuery } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { securityChecklistQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { announce } from '@/lib/announce';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Skeleton } from '@/ui/skeleton';
import { State } from '@/ui/state';
import { CheckRow } from './check-row';
import { checkOrder, checkStatuses } from './words';

type Checklist = components['schemas']['Checklist'];

/** Everything that is safe or not safe yet, worst first. Computed by the server at every look, never stored. */
export function ChecklistTab() {
  const checklist = useQuery(securityChecklistQuery);
  const again = async () => {
    const { data } = await checklist.refetch();
    if (data) announce(`Checked. ${summary(data.counts)}.`);
  };
  return (
    <Card
      title="Checklist"
      meta={
        checklist.data && (
          <>
            {plural(checklist.data.items.length, 'item')}, checked <Time at={checklist.data.evaluated_at} />
          </>
        )
      }
      actions={
        <Button size="sm" pending={checklist.isFetching && checklist.data !== undefined} onClick={() => void again()}>
          {!checklist.isFetching && <RefreshCw aria-hidden className="size-3.5" />}
          Check again
        </Button>
      }
      flush
    >
      <QueryState query={checklist} what="the checklist" skeleton={<ChecklistSkeleton />}>
        {(data) => <Groups checklist={data} />}
      </QueryState>
    </Card>
  );
}

function Groups({ checklist }: { checklist: Checklist }) {
  return (
    <>
      <Counts counts={checklist.counts} />
      {checkOrder.map((status) => {
        const items = checklist.items.filter((item) => item.status === status);
        if (items.length === 0) return null;
        return (
          <section key={status} aria-label={checkStatuses[status].title}>
            <h3 className="border-y border-line bg-bg px-4 py-1.5 text-label font-medium text-muted">
              {checkStatuses[status].title}
            </h3>
            <ul className="divide-y divide-line">
              {items.map((item) => (
                <CheckRow key={item.id} item={item} />
              ))}
            </ul>
          </section>
        );
      })}
    </>
  );
}

function Counts({ counts }: { counts: Checklist['counts'] }) {
  return (
    <p className="flex flex-wrap gap-x-5 gap-y-1 px-4 py-2.5 tabular-nums">
      {counts.fail > 0 && <State kind="error">{`${counts.fail} failed`}</State>}
      {counts.warn > 0 && <State kind="warning">{plural(counts.warn, 'warning')}</State>}
      {counts.unknown > 0 && <State kind="draft">{`${counts.unknown} unknown`}</State>}
      <State kind="live">{`${counts.ok} passed`}</State>
    </p>
  );
}

function summary(counts: Checklist['counts']): string {
  return `${counts.fail} failed, ${plural(counts.warn, 'warning')}, ${counts.ok} passed`;
}

function ChecklistSkeleton() {
  return (
    <div className="divide-y divide-line">
      {['a', 'b', 'c', 'd', 'e', 'f'].map((id) => (
        <div key={id} className="flex items-center gap-4 px-4 py-3">
          <Skeleton className="h-3.5 w-20" />
          <div className="grid h-9 content-evenly">
            <Skeleton className="h-3.5 w-48" />
            <Skeleton className="h-3 w-72 max-sm:w-40" />
          </div>
        </div>
      ))}
    </div>
  );
}
