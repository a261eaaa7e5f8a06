import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus, Wrench } from 'lucide-react';
import { useCallback, useRef } from 'react';
import { allConnectionsQuery, deployDiffQuery, toolsQuery } from '@/api/queries';
import { listQuery, sortOf } from '@/components/list/address';
import { NothingMatches } from '@/components/list/nothing-matches';
import { Pager, range } from '@/components/list/pager';
import { useListActions } from '@/components/list/use-list-actions';
import { useSelection } from '@/components/list/use-selection';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { useSample } from '@/components/use-sample';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { preloadEditor } from '@/ui/code-editor';
import { EmptyState } from '@/ui/empty-state';
import { SkeletonRows } from '@/ui/skeleton';
import { BatchBar } from './batch-bar';
import { Filters } from './filters';
import type { ToolsSearch } from './search';
import { ToolTable } from './tool-table';

const route = getRouteApi(paths.tools);

export default function ToolsPage() {
  const search: ToolsSearch = route.useSearch();
  const navigate = useNavigate();
  const page = search.page ?? 1;
  const tools = useQuery({
    ...toolsQuery({
      ...listQuery(search),
      ...(search.connection && { connection_id: search.connection }),
      ...(search.enabled && { is_enabled: search.enabled === 'yes' }),
      ...(search.tag && { tag: search.tag }),
    }),
    placeholderData: keepPreviousData,
  });
  const connections = useQuery(allConnectionsQuery);
  const diff = useQuery(deployDiffQuery);
  const items = tools.data?.items;
  const [selected, setSelected] = useSelection(items);
  const list = useRef<HTMLDivElement>(null);
  const filters = [
    search.search && `“${search.search}”`,
    search.connection && 'this connection',
    search.enabled && (search.enabled === 'yes' ? 'enabled' : 'disabled'),
    search.tag && `the tag ${search.tag}`,
  ];
  const none = tools.data?.total === 0 && page === 1 && !filters.some(Boolean);

  const show = (change: Partial<ToolsSearch>) =>
    void navigate({ to: paths.tools, search: { ...search, page: undefined, ...change }, replace: true });
  const clear = () => void navigate({ to: paths.tools, search: { sort: search.sort }, replace: true });
  const create = useCallback(() => void navigate({ to: paths.toolNew }), [navigate]);
  useListActions({ noun: 'tool', list, create, synonyms: 'new add' });

  return (
    <Page
      title="Tools"
      description="One SQL statement each, with typed parameters, that an AI client can call."
      actions={none ? undefined : <CreateLink />}
    >
      <div ref={list} className="grid grid-cols-1 gap-3">
        {!none && (
          <Filters
            search={search}
            connections={connections.data?.items ?? []}
            onChange={show}
            aside={
              tools.data && (
                <span className="ml-auto text-label text-muted tabular-nums">
                  {range(page, tools.data.total, 'tool')}
                </span>
              )
            }
          />
        )}
        {selected.size > 0 && items && (
          <BatchBar tools={items.filter((t) => selected.has(t.id))} onDone={() => setSelected(new Set())} />
        )}
        <Card flush label="Tools" className="overflow-hidden">
          <QueryState query={tools} what="tools" skeleton={<SkeletonRows rows={6} columns={5} />}>
            {(data) =>
              data.items.length > 0 ? (
                <ToolTable
                  tools={data.items}
                  connections={connections.data?.items ?? []}
                  changes={diff.data?.changes}
                  sort={search.sort ?? 'name'}
                  onSort={(sort) => show({ sort: sortOf(sort) })}
                  selected={selected}
                  onSelect={setSelected}
                />
              ) : none ? (
                <NoTools />
              ) : (
                <NothingMatches what="tools" filters={filters} onClear={clear} />
              )
            }
          </QueryState>
        </Card>
        {tools.data && (
          <Pager noun="tool" page={page} total={tools.data.total} onPage={(next) => show({ page: next })} />
        )}
      </div>
    </Page>
  );
}

function CreateLink() {
  return (
    <Link
      to={paths.toolNew}
      onPointerEnter={preloadEditor}
      onFocus={preloadEditor}
      className={buttonClass('primary', 'md', 'max-sm:flex-1')}
    >
      <Plus aria-hidden />
      Create tool
    </Link>
  );
}

function NoTools() {
  const sample = useSample();
  return (
    <EmptyState
      icon={<Wrench aria-hidden />}
      title="No tools yet"
      actions={
        <>
          <CreateLink />
          {sample.button}
        </>
      }
    >
      <p>A tool is one SQL statement that an AI client can call with values of its own.</p>
      {sample.problem}
    </EmptyState>
  );
}
