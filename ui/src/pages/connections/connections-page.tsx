import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Database, Plus, RotateCw, Search } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { describe } from '@/api/errors';
import { useAddSample } from '@/api/mutations';
import { connectionHealthQuery, connectionsQuery, toolsQuery } from '@/api/queries';
import { useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { formatCount } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { EmptyState } from '@/ui/empty-state';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { toast } from '@/ui/toast-store';
import { BatchBar } from './batch-bar';
import { ConnectionTable } from './connection-table';
import { DeleteDialog } from './delete-dialog';
import { Filters } from './filters';
import { kinds } from './kinds';
import type { ListSearch } from './list-search';
import { useBatchTest } from './use-batch-test';
import { useSwitch } from './use-switch';
import type { Connection } from './values';

const route = getRouteApi(paths.connections);
const pageSize = 50;
/** As many tools as one answer holds; with more, how many use a connection is not counted here. */
const mostTools = 100;

export default function ConnectionsPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const { skip = 0, sort = 'name', db_type, search: text } = search;
  const query = useQuery({
    ...connectionsQuery({ skip, limit: pageSize, sort, db_type, search: text }),
    placeholderData: keepPreviousData,
  });
  const health = useQuery(connectionHealthQuery);
  const users = useToolCounts();
  const test = useBatchTest();
  const enable = useSwitch();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<Connection>();
  const list = useRef<HTMLDivElement>(null);

  const show = (next: ListSearch) => void navigate({ to: paths.connections, search: next, replace: true });
  const rows = query.data?.items ?? [];
  const filtered = text !== undefined || db_type !== undefined;
  const none = query.data?.total === 0 && !filtered && skip === 0;
  const chosen = rows.filter((c) => selected.has(c.id));
  useListActions(list);

  return (
    <Page
      title="Connections"
      description={none ? undefined : 'How the server reaches your databases.'}
      actions={
        none ? undefined : (
          <>
            <Button pending={test.batch?.running} onClick={() => void test.start(rows.filter((c) => c.is_active))}>
              {!test.batch?.running && <RotateCw aria-hidden />}
              Test all
            </Button>
            <CreateLink />
          </>
        )
      }
    >
      <div ref={list} className="grid gap-3">
        {enable.problem && (
          <div role="alert">
            <Notice tone="bad">{enable.problem}</Notice>
          </div>
        )}
        <QueryState
          query={query}
          what="connections"
          skeleton={
            <Card flush>
              <SkeletonRows rows={6} columns={5} />
            </Card>
          }
        >
          {({ items, total }) =>
            none ? (
              <NoConnections />
            ) : (
              <>
                <Filters
                  search={search}
                  onChange={show}
                  aside={
                    <>
                      <FailingChip count={health.data?.items.filter((h) => h.status === 'failing').length ?? 0} />
                      <span className="ml-auto text-label text-muted tabular-nums">
                        {range(skip, items.length, total)}
                      </span>
                    </>
                  }
                />
                <BatchBar
                  batch={test.batch}
                  selected={chosen.length}
                  onTest={() => void test.start(chosen)}
                  onCancel={test.cancel}
                  onClear={() => setSelected(new Set())}
                  onDismiss={test.dismiss}
                />
                <Card flush label="Connections" className="overflow-hidden">
                  {items.length === 0 ? (
                    <NothingMatches search={search} onClear={() => show({ sort: search.sort })} />
                  ) : (
                    <ConnectionTable
                      rows={items}
                      health={health.data?.items}
                      users={users}
                      testing={test.batch?.current}
                      sort={sort}
                      onSort={(next) => show({ ...search, sort: next === 'name' ? undefined : next, skip: undefined })}
                      selected={selected}
                      onSelect={setSelected}
                      onSwitch={enable.change}
                      onTest={(c) => void test.start([c])}
                      onDelete={setDeleting}
                    />
                  )}
                </Card>
                <Pager skip={skip} total={total} onChange={(next) => show({ ...search, skip: next || undefined })} />
              </>
            )
          }
        </QueryState>
      </div>
      {deleting && (
        <DeleteDialog
          connection={deleting}
          onClose={() => setDeleting(undefined)}
          onDeleted={() => setDeleting(undefined)}
        />
      )}
    </Page>
  );
}

/** How many tools use each connection; undefined when one answer cannot tell. */
function useToolCounts(): ReadonlyMap<string, number> | undefined {
  const { data } = useQuery(toolsQuery({ limit: mostTools }));
  return useMemo(() => {
    if (!data || data.total > data.items.length) return undefined;
    const counts = new Map<string, number>();
    for (const tool of data.items) counts.set(tool.connection_id, (counts.get(tool.connection_id) ?? 0) + 1);
    return counts;
  }, [data]);
}

function useListActions(list: React.RefObject<HTMLDivElement | null>): void {
  const navigate = useNavigate();
  useActions(
    'page',
    useMemo(
      () => [
        {
          id: 'connection create',
          label: 'Create connection',
          icon: Plus,
          keys: 'c',
          synonyms: 'new add database',
          run: () => void navigate({ to: paths.connectionNew }),
        },
        {
          id: 'connection search',
          label: 'Search connections',
          icon: Search,
          keys: '/',
          run: () => list.current?.querySelector<HTMLElement>('input[type="search"]')?.focus(),
        },
        // From the first row on, the table itself knows these keys.
        ...['j', 'k'].map((keys) => ({
          id: `connection rows ${keys}`,
          label: 'Move between rows',
          keys,
          hidden: true,
          run: () => list.current?.querySelector<HTMLElement>('[data-row-link] a')?.focus(),
        })),
      ],
      [navigate, list],
    ),
  );
}

function CreateLink() {
  return (
    <Link to={paths.connectionNew} className={buttonClass('primary', 'md', 'max-sm:flex-1')}>
      <Plus aria-hidden />
      Create connection
    </Link>
  );
}

function NoConnections() {
  const sample = useAddSample();
  return (
    <Card label="No connections">
      <EmptyState
        icon={<Database aria-hidden />}
        title="No connections yet"
        actions={
          <>
            <CreateLink />
            <Button
              pending={sample.isPending}
              onClick={() => sample.mutate(undefined, { onSuccess: () => toast('Sample added and deployed.') })}
            >
              Use the sample database
            </Button>
          </>
        }
      >
        <p>
          A connection says how to reach one database. Tools and resources run their SQL through it, read-only by
          default.
        </p>
        {sample.isError && (
          <Notice tone="bad" title="The sample was not added" className="mt-3 text-left">
            {describe(sample.error).cause}
          </Notice>
        )}
      </EmptyState>
    </Card>
  );
}

function NothingMatches({ search, onClear }: { search: ListSearch; onClear: () => void }) {
  const said = [
    search.search !== undefined && `“${search.search}”`,
    search.db_type && `kind ${kinds[search.db_type].title}`,
  ];
  return (
    <EmptyState
      icon={<Database aria-hidden />}
      title="Nothing matches"
      actions={<Button onClick={onClear}>Clear filters</Button>}
    >
      No connections match {said.filter(Boolean).join(' and ') || 'this page'}.
    </EmptyState>
  );
}

function FailingChip({ count }: { count: number }) {
  return count > 0 ? <Chip tone="bad">{formatCount(count)} failing</Chip> : null;
}

function range(skip: number, shown: number, total: number): string {
  if (shown === 0) return `0 of ${formatCount(total)}`;
  if (shown === total) return formatCount(total);
  return `${formatCount(skip + 1)}–${formatCount(skip + shown)} of ${formatCount(total)}`;
}

function Pager({ skip, total, onChange }: { skip: number; total: number; onChange: (skip: number) => void }) {
  if (total <= pageSize && skip === 0) return null;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2">
      {skip > 0 && (
        <Button size="sm" onClick={() => onChange(Math.max(0, skip - pageSize))}>
          Previous
        </Button>
      )}
      {skip + pageSize < total && (
        <Button size="sm" onClick={() => onChange(skip + pageSize)}>
          Next
        </Button>
      )}
    </nav>
  );
}
