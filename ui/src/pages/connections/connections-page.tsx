import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Plus, RotateCw, Search } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { connectionHealthQuery, connectionsQuery, toolsQuery } from '@/api/queries';
import { useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { BatchBar } from './batch-bar';
import { ConnectionTable } from './connection-table';
import { DeleteDialog } from './delete-dialog';
import { Filters } from './filters';
import { CreateLink, FailingChip, NoConnections, NothingMatches, Pager, pageSize, range } from './list-parts';
import type { ListSearch } from './list-search';
import { useBatchTest } from './use-batch-test';
import { useSwitch } from './use-switch';
import type { Connection } from './values';

const route = getRouteApi(paths.connections);
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
  const closeDialog = () => setDeleting(undefined);
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
          <HeadActions testing={test.batch?.running} onTest={() => void test.start(rows.filter((c) => c.is_active))} />
        )
      }
    >
      <div ref={list} className="grid grid-cols-1 gap-3">
        <Problem text={enable.problem} />
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
      {deleting && <DeleteDialog connection={deleting} onClose={closeDialog} onDeleted={closeDialog} />}
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

function HeadActions({ testing, onTest }: { testing: boolean | undefined; onTest: () => void }) {
  return (
    <>
      <Button pending={testing} onClick={onTest}>
        {!testing && <RotateCw aria-hidden />}
        Test all
      </Button>
      <CreateLink />
    </>
  );
}

function Problem({ text }: { text: string }) {
  if (!text) return null;
  return (
    <div role="alert">
      <Notice tone="bad">{text}</Notice>
    </div>
  );
}
