import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { Wrench } from 'lucide-react';
import { ApiError } from '@/api/errors';
import { allConnectionsQuery, columnsQuery } from '@/api/queries';
import { PageTitle } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { toolQuery } from './api';
import { BuilderSkeleton } from './builder-skeleton';
import { baseOf } from './builder-state';
import { blankForm } from './form';
import { newToolTitle } from './header';
import { listTool, parseTable } from './prefill';
import { ToolBuilder } from './tool-builder';

/** One tool: /tools/$id, or /tools/new for one that is not saved yet. */
export default function ToolPage() {
  const { id } = useParams({ strict: false });
  return id === undefined ? <NewTool /> : <SavedTool key={id} id={id} />;
}

function SavedTool({ id }: { id: string }) {
  const tool = useQuery(toolQuery(id));
  const connections = useQuery(allConnectionsQuery);
  const gone = tool.error instanceof ApiError && tool.error.status === 404;
  if (gone && !tool.data) return <NoSuchTool />;
  const failed = [tool, connections].find((q) => q.isError);
  const both = tool.data && connections.data && { tool: tool.data, connections: connections.data.items };
  return (
    <>
      {!both && (
        <div className="sr-only">
          <PageTitle doc="Tool · Tools">Tool</PageTitle>
        </div>
      )}
      <QueryState
        query={{
          data: both,
          error: failed?.error,
          isError: failed !== undefined && !gone,
          isPending: both === undefined,
          isFetching: tool.isFetching || connections.isFetching,
          dataUpdatedAt: Math.min(tool.dataUpdatedAt, connections.dataUpdatedAt),
          refetch: () => Promise.all([tool.refetch(), connections.refetch()]),
        }}
        what="the tool"
        skeleton={<BuilderSkeleton />}
      >
        {(data) => (
          <ToolBuilder tool={data.tool} deleted={gone} connections={data.connections} initial={baseOf(data.tool)} />
        )}
      </QueryState>
    </>
  );
}

function NewTool() {
  const search = useSearch({ strict: false });
  const connections = useQuery(allConnectionsQuery);
  const all = connections.data?.items;
  const wanted = all?.find((c) => c.id === search.connection);
  const table = wanted && search.table ? parseTable(search.table) : undefined;
  const columns = useQuery({
    ...columnsQuery(wanted?.id ?? '', table?.schema ?? '', table?.table ?? ''),
    enabled: table !== undefined,
    retry: false,
  });
  const ready = all && (!table || columns.data || columns.isError);
  const only = all?.length === 1 ? all[0]?.id : undefined;
  const form =
    wanted && table && columns.data
      ? listTool(wanted.id, table, columns.data.columns, wanted.db_type)
      : blankForm(wanted?.id ?? only);
  return (
    <>
      {!ready && (
        <div className="sr-only">
          <PageTitle doc={`${newToolTitle} · Tools`}>{newToolTitle}</PageTitle>
        </div>
      )}
      <QueryState
        query={{
          data: ready ? { connections: all } : undefined,
          error: connections.error,
          isError: connections.isError,
          isPending: !ready,
          isFetching: connections.isFetching,
          dataUpdatedAt: connections.dataUpdatedAt,
          refetch: connections.refetch,
        }}
        what="the connections"
        skeleton={<BuilderSkeleton />}
      >
        {(data) => (
          <ToolBuilder
            tool={undefined}
            connections={data.connections}
            initial={{ version: 0, form }}
            prefillError={columns.error}
          />
        )}
      </QueryState>
    </>
  );
}

function NoSuchTool() {
  return (
    <div className="grid flex-1 place-content-center">
      <div className="sr-only">
        <PageTitle doc="Not found · Tools">This tool does not exist</PageTitle>
      </div>
      <EmptyState
        icon={<Wrench aria-hidden />}
        title="This tool does not exist"
        actions={
          <Link to={paths.tools} className={buttonClass('primary')}>
            Open the list of tools
          </Link>
        }
      >
        It was deleted, or the address is wrong. What is deployed goes on until the next deploy.
      </EmptyState>
    </div>
  );
}
