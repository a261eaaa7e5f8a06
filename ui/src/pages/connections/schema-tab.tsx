import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { RefreshCw, Table2 } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { tablesQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { cx } from '@/lib/cx';
import { formatCount, formatRelative } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { EmptyState } from '@/ui/empty-state';
import { Input } from '@/ui/input';
import { SkeletonRows } from '@/ui/skeleton';
import { TableDetail } from './table-detail';
import { TableTree } from './table-tree';
import { bySchema, type Table, tableName } from './tables';
import type { Connection } from './values';

/** How long typing pauses before the database is asked. */
const pauseMs = 300;
/** As many tables as one answer brings; a search finds the others. */
const mostTables = 1_000;

interface Props {
  connection: Connection;
  /** "schema.name" of the table that is open. */
  table: string | undefined;
  onTable: (table: string | undefined) => void;
}

export function SchemaTab({ connection, table, onTable }: Props) {
  const [text, setText] = useState('');
  const [search, setSearch] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text.trim()), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({
    ...tablesQuery(connection.id, { limit: mostTables, ...(search && { search }) }),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const groups = useMemo(() => bySchema(query.data?.items ?? []), [query.data]);
  const chosen = useChosen(query.data?.items, table);

  return (
    <div className="grid items-start gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <Card
        flush
        label="Tables"
        className={cx(
          'lg:sticky lg:top-16 lg:flex lg:max-h-[calc(100dvh-8rem)] lg:flex-col',
          chosen && 'max-lg:hidden',
        )}
      >
        <div className="flex items-center gap-2 border-b border-line p-2">
          <Input
            type="search"
            size="sm"
            aria-label="Search tables"
            placeholder="Search tables"
            value={text}
            onChange={(e) => setText(e.target.value)}
          />
          <Button size="sm" pending={query.isFetching} onClick={() => void query.refetch()}>
            {!query.isFetching && <RefreshCw aria-hidden />}
            Refresh
          </Button>
        </div>
        <div className="min-h-0 overflow-y-auto">
          <QueryState query={query} what="tables" skeleton={<SkeletonRows rows={8} columns={1} />}>
            {({ items, total, truncated }) =>
              items.length === 0 ? (
                <EmptyState icon={<Table2 aria-hidden />} title={search ? 'Nothing matches' : 'No tables'}>
                  {search
                    ? `No table has “${search}” in its name.`
                    : 'This user sees no table or view in the database.'}
                </EmptyState>
              ) : (
                <>
                  <TableTree
                    groups={groups}
                    searching={search !== ''}
                    chosen={chosen && tableName(chosen)}
                    onChoose={(t) => onTable(tableName(t))}
                  />
                  <Foot shown={items.length} total={total} truncated={truncated} read={query.dataUpdatedAt} />
                </>
              )
            }
          </QueryState>
        </div>
      </Card>
      {chosen ? (
        <TableDetail key={tableName(chosen)} connection={connection} table={chosen} onBack={() => onTable(undefined)} />
      ) : (
        <Card label="No table chosen" className="max-lg:hidden">
          <EmptyState icon={<Table2 aria-hidden />} title="Choose a table">
            Its columns, its keys and a sample of its rows are shown here, and a tool can be made from it.
          </EmptyState>
        </Card>
      )}
    </div>
  );
}

/** The open table, also when a search hides it. */
function useChosen(items: readonly Table[] | undefined, name: string | undefined): Table | undefined {
  const [last, setLast] = useState<Table>();
  const now = name === undefined ? undefined : items?.find((t) => tableName(t) === name);
  useEffect(() => {
    if (now) setLast(now);
  }, [now]);
  if (name === undefined) return undefined;
  return now ?? (last && tableName(last) === name ? last : undefined);
}

function Foot({ shown, total, truncated, read }: { shown: number; total: number; truncated: boolean; read: number }) {
  const now = useNow(10_000);
  return (
    <p className="border-t border-line px-4 py-2 text-label text-muted tabular-nums">
      {truncated
        ? `${formatCount(shown)} of ${formatCount(total)} tables, search for the others`
        : `${formatCount(total)} tables`}
      , read {formatRelative(new Date(read), now)}
    </p>
  );
}
