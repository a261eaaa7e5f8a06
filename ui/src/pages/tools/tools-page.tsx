import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus, Wrench } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { describe } from '@/api/errors';
import { useAddSample } from '@/api/mutations';
import { connectionsQuery, deployDiffQuery, toolsQuery } from '@/api/queries';
import { type Action, useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { preloadEditor } from '@/ui/code-editor';
import { EmptyState } from '@/ui/empty-state';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { toast } from '@/ui/toast-store';
import { BatchBar } from './batch-bar';
import { Filters } from './filters';
import type { ToolsSearch } from './search';
import { ToolTable } from './tool-table';

const route = getRouteApi(paths.tools);
const pageSize = 50;

export default function ToolsPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const page = search.page ?? 1;
  const tools = useQuery({
    ...toolsQuery({
      limit: pageSize,
      skip: (page - 1) * pageSize,
      sort: search.sort ?? 'name',
      ...(search.search && { search: search.search }),
      ...(search.connection && { connection_id: search.connection }),
      ...(search.enabled && { is_enabled: search.enabled === 'yes' }),
      ...(search.tag && { tag: search.tag }),
    }),
    placeholderData: (last) => last,
  });
  const connections = useQuery(connectionsQuery({ limit: 100, sort: 'name' }));
  const diff = useQuery(deployDiffQuery);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const filtered = Boolean(search.search || search.connection || search.enabled || search.tag);

  const show = (change: Partial<ToolsSearch>) =>
    void navigate({ to: paths.tools, search: { ...search, page: undefined, ...change }, replace: true });
  const clear = () => void navigate({ to: paths.tools, search: { sort: search.sort }, replace: true });
  useListActions(box, list);

  // Entries that are gone, or on another page, are not selected any more.
  const items = tools.data?.items;
  useEffect(() => {
    if (!items) return;
    const here = new Set(items.map((t) => t.id));
    setSelected((old) => ([...old].every((id) => here.has(id)) ? old : new Set([...old].filter((id) => here.has(id)))));
  }, [items]);

  return (
    <Page
      title="Tools"
      description="One SQL statement each, with typed parameters, that an AI client can call."
      actions={
        <Link
          to={paths.toolNew}
          onPointerEnter={preloadEditor}
          onFocus={preloadEditor}
          className={buttonClass('primary', 'md', 'max-sm:flex-1')}
        >
          <Plus aria-hidden />
          Create tool
        </Link>
      }
    >
      <div className="grid grid-cols-1 gap-3">
        <Filters search={search} connections={connections.data?.items ?? []} box={box} onChange={show} />
        {selected.size > 0 && items && (
          <BatchBar tools={items.filter((t) => selected.has(t.id))} onDone={() => setSelected(new Set())} />
        )}
        <div ref={list}>
          <Card flush label="Tools" className="overflow-hidden">
            <QueryState query={tools} what="tools" skeleton={<SkeletonRows rows={6} columns={5} />}>
              {(data) =>
                data.items.length > 0 ? (
                  <ToolTable
                    tools={data.items}
                    connections={connections.data?.items ?? []}
                    changes={diff.data?.changes}
                    sort={search.sort ?? 'name'}
                    onSort={(sort) => show({ sort: sort === 'name' ? undefined : sort })}
                    selected={selected}
                    onSelect={setSelected}
                  />
                ) : filtered ? (
                  <NoMatch search={search} onClear={clear} />
                ) : (
                  <NoTools />
                )
              }
            </QueryState>
          </Card>
        </div>
        {tools.data && tools.data.total > pageSize && (
          <Pager page={page} total={tools.data.total} onPage={(next) => show({ page: next > 1 ? next : undefined })} />
        )}
      </div>
    </Page>
  );
}

/** The keys of a list: `/` searches, `c` creates, `j` and `k` go to the first entry and on from there. */
function useListActions(
  box: React.RefObject<HTMLInputElement | null>,
  list: React.RefObject<HTMLDivElement | null>,
): void {
  const navigate = useNavigate();
  const actions = useMemo<Action[]>(() => {
    const first = () => list.current?.querySelector<HTMLElement>('[data-row-link] a')?.focus();
    return [
      {
        id: 'tools create',
        label: 'Create tool',
        icon: Plus,
        keys: 'c',
        run: () => void navigate({ to: paths.toolNew }),
      },
      { id: 'tools search', label: 'Search tools', keys: '/', run: () => box.current?.focus() },
      { id: 'tools next', label: 'Next tool', keys: 'j', hidden: true, run: first },
      { id: 'tools previous', label: 'Previous tool', keys: 'k', hidden: true, run: first },
    ];
  }, [navigate, box, list]);
  useActions('page', actions);
}

function NoMatch({ search, onClear }: { search: ToolsSearch; onClear: () => void }) {
  const words = [
    search.search && `“${search.search}”`,
    search.connection && 'this connection',
    search.enabled && (search.enabled === 'yes' ? 'enabled' : 'disabled'),
    search.tag && `the tag ${search.tag}`,
  ].filter(Boolean);
  return (
    <EmptyState
      icon={<Wrench aria-hidden />}
      title={`No tools match ${words.join(', ')}`}
      actions={<Button onClick={onClear}>Clear filters</Button>}
    >
      Other tools are there.
    </EmptyState>
  );
}

function NoTools() {
  const add = useAddSample();
  return (
    <EmptyState
      icon={<Wrench aria-hidden />}
      title="No tools yet"
      actions={
        <>
          <Link to={paths.toolNew} className={buttonClass('primary')}>
            <Plus aria-hidden />
            Create tool
          </Link>
          <Button
            intent="ghost"
            pending={add.isPending}
            onClick={() => add.mutate(undefined, { onSuccess: () => toast('Sample added.') })}
          >
            Use the sample
          </Button>
        </>
      }
    >
      <p>A tool is one SQL statement that an AI client can call with values of its own.</p>
      {add.isError && (
        <Notice tone="bad" className="mt-3 text-left">
          {describe(add.error).cause}
        </Notice>
      )}
    </EmptyState>
  );
}

function Pager({ page, total, onPage }: { page: number; total: number; onPage: (page: number) => void }) {
  const from = (page - 1) * pageSize + 1;
  const to = Math.min(total, page * pageSize);
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2 text-label text-muted tabular-nums">
      <span>{`${from} to ${to} of ${plural(total, 'tool')}`}</span>
      {page > 1 && (
        <Button size="sm" onClick={() => onPage(page - 1)}>
          Previous
        </Button>
      )}
      {to < total && (
        <Button size="sm" onClick={() => onPage(page + 1)}>
          Next
        </Button>
      )}
    </nav>
  );
}
