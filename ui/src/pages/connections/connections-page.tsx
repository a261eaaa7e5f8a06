import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { allToolsQuery, connectionHealthQuery, connectionsQuery } from '@/api/queries';
import { listQuery, sortOf } from '@/components/list/address';
import { NothingMatches } from '@/components/list/nothing-matches';
import { Pager, range } from '@/components/list/pager';
import { useListActions } from '@/components/list/use-list-actions';
import { useSelection } from '@/components/list/use-selection';
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
import { kinds } from './kinds';
import { CreateLink, FailingChip, NoConnections } from './list-parts';
import type { ListSearch } from './list-search';
import { useBatchTest } from './use-batch-test';
import { useSwitch } from './use-switch';
import type { Connection } from './values';

const route = getRouteApi(paths.connections);

export default function ConnectionsPage() {
  const search: ListSearch = route.useSearch();
  const navigate = useNavigate();
  const { page = 1, sort = 'name', db_type, search: text } = search;
  const query = useQuery({
    ...connectionsQuery({ ...listQuery(search), db_type }),
    placeholderData: keepPreviousData,
  });
  const health = useQuery(connectionHealthQuery);
  const users = useToolCounts();
  const test = useBatchTest();
  const enable = useSwitch();
  const [selected, setSelected] = useSelection(query.data?.items);
  const [deleting, setDeleting] = useState<Connection>();
  const closeDialog = () => setDeleting(undefined);
  const list = useRef<HTMLDivElement>(null);

  const show = (change: Partial<ListSearch>) =>
    void navigate({ to: paths.connections, search: { ...search, page: undefined, ...change }, replace: true });
  const clear = () => void navigate({ to: paths.connections, search: { sort: search.sort }, replace: true });
  const rows = query.data?.items ?? [];
  const filtered = text !== undefined || db_type !== undefined;
  const none = query.data?.total === 0 && !filtered && page === 1;
  const chosen = rows.filter((c) => selected.has(c.id));
  const create = useCallback(() => void navigate({ to: paths.connectionNew }), [navigate]);
  useListActions({ noun: 'connection', list, create, synonyms: 'new add database' });

  return (
    <Page
      title="Connections"
      description="How the server reaches your databases."
      actions={
        none ? undefined : (
          <HeadActions
            verb={query.data && query.data.total > rows.length ? 'Test these' : 'Test all'}
            testing={test.batch?.running}
            onTest={() => void test.start(rows.filter((c) => c.is_active))}
          />
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
                        {range(page, total, 'connection')}
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
                    <NothingMatches
                      what="connections"
                      filters={[text && `“${text}”`, db_type && `kind ${kinds[db_type].title}`]}
                      onClear={clear}
                    />
                  ) : (
                    <ConnectionTable
                      rows={items}
                      health={health.data?.items}
                      users={users}
                      testing={test.batch?.current}
                      sort={sort}
                      onSort={(next) => show({ sort: sortOf(next) })}
                      selected={selected}
                      onSelect={setSelected}
                      onSwitch={enable.change}
                      onTest={(c) => void test.start([c])}
                      onDelete={setDeleting}
                    />
                  )}
                </Card>
                <Pager noun="connection" page={page} total={total} onPage={(next) => show({ page: next })} />
              </>
            )
          }
        </QueryState>
      </div>
      {deleting && <DeleteDialog connection={deleting} onClose={closeDialog} onDeleted={closeDialog} />}
    </Page>
  );
}

/** How many tools use each connection; undefined while that is not known, and where there are more than are read. */
function useToolCounts(): ReadonlyMap<string, number> | undefined {
  const { data } = useQuery(allToolsQuery);
  return useMemo(() => {
    if (!data || data.total > data.items.length) return undefined;
    const counts = new Map<string, number>();
    for (const tool of data.items) counts.set(tool.connection_id, (counts.get(tool.connection_id) ?? 0) + 1);
    return counts;
  }, [data]);
}

interface HeadProps {
  verb: string;
  testing: boolean | undefined;
  onTest: () => void;
}

function HeadActions({ verb, testing, onTest }: HeadProps) {
  return (
    <>
      <Button pending={testing} onClick={onTest}>
        {!testing && <RotateCw aria-hidden />}
        {verb}
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
