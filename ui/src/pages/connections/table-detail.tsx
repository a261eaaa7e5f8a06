import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, KeyRound, Link2, Plus, Rows3 } from 'lucide-react';
import { api, body } from '@/api/client';
import { describe } from '@/api/errors';
import { columnsQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { formatCount, formatDuration, plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { Table as TableView, Td, Th, Tr } from '@/ui/table';
import { sampleSql } from './sql';
import { type Column, cellText, type ForeignKey, kindWord, reference, rowsOf, type Table, tableName } from './tables';
import type { Connection } from './values';

const sampleRows = 20;

interface Props {
  connection: Connection;
  table: Table;
  /** Below 1024 px the list and the table take turns. */
  onBack: () => void;
}

export function TableDetail({ connection, table, onBack }: Props) {
  const columns = useQuery({ ...columnsQuery(connection.id, table.schema, table.name), retry: false });
  const sample = useMutation({
    mutationFn: () =>
      body(
        api.POST('/api/v1/preview/execute', {
          body: { connection_id: connection.id, sql_query: sampleSql(connection.db_type, table, sampleRows) },
        }),
      ),
  });
  return (
    <div className="grid min-w-0 gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <Button intent="ghost" size="sm" className="lg:hidden" onClick={onBack}>
          <ArrowLeft aria-hidden />
          All tables
        </Button>
        <div className="min-w-0 flex-1 basis-60">
          <h2 className="font-mono text-body font-semibold break-all">{tableName(table)}</h2>
          <p className="text-label text-muted">
            {kindWord(table.kind)}
            {table.rows >= 0 && `, about ${formatCount(table.rows)} rows`}
            {table.comment && `, ${table.comment}`}
          </p>
        </div>
        <Button pending={sample.isPending} onClick={() => sample.mutate()}>
          <Rows3 aria-hidden />
          Show {sampleRows} rows
        </Button>
        <Link
          to={paths.toolNew}
          search={{ connection: connection.id, table: tableName(table) }}
          className={buttonClass('primary')}
        >
          <Plus aria-hidden />
          Create tool from this table
        </Link>
      </div>
      <Card flush className="overflow-hidden">
        <QueryState query={columns} what="columns" skeleton={<SkeletonRows rows={6} columns={4} />}>
          {(data) => <Columns columns={data.columns} keys={data.foreign_keys} table={table.name} />}
        </QueryState>
      </Card>
      {sample.isError && (
        <div role="alert">
          <Notice tone="bad" title="The sample could not be read">
            {describe(sample.error).cause} {describe(sample.error).next}
          </Notice>
        </div>
      )}
      {sample.data && <Sample preview={sample.data} table={table.name} />}
    </div>
  );
}

function Columns({ columns, keys, table }: { columns: readonly Column[]; keys: readonly ForeignKey[]; table: string }) {
  const comments = columns.some((c) => c.comment);
  const defaults = columns.some((c) => c.default);
  return (
    <TableView label={`Columns of ${table}`}>
      <thead>
        <tr>
          <Th>Column</Th>
          <Th>Type</Th>
          <Th>Nullable</Th>
          <Th>Key</Th>
          {defaults && <Th>Default</Th>}
          {comments && <Th>Comment</Th>}
        </tr>
      </thead>
      <tbody>
        {columns.map((c) => (
          <Tr key={c.name}>
            <Td className="font-mono text-label">{c.name}</Td>
            <Td className="font-mono text-label text-muted">{c.type}</Td>
            <Td className="text-muted">{c.nullable ? 'yes' : 'no'}</Td>
            <Td>
              <Key column={c} keys={keys} />
            </Td>
            {defaults && <Td className="max-w-48 truncate font-mono text-label text-muted">{c.default}</Td>}
            {comments && <Td className="max-w-80 truncate text-muted">{c.comment}</Td>}
          </Tr>
        ))}
      </tbody>
    </TableView>
  );
}

function Key({ column, keys }: { column: Column; keys: readonly ForeignKey[] }) {
  const to = reference(column.name, keys);
  return (
    <span className="inline-flex items-center gap-1.5">
      {column.primary_key && (
        <Chip>
          <KeyRound aria-hidden className="size-3" />
          primary
        </Chip>
      )}
      {to && (
        <Chip mono>
          <Link2 aria-hidden className="size-3" />
          <span className="sr-only">refers to </span>
          {to}
        </Chip>
      )}
    </span>
  );
}

function Sample({ preview, table }: { preview: components['schemas']['PreviewOut']; table: string }) {
  const rows = rowsOf(preview.rows);
  return (
    <Card
      title="Sample"
      meta={`${plural(rows.length, 'row')} in ${formatDuration(preview.execution_ms)}`}
      flush
      className="overflow-hidden"
    >
      {rows.length === 0 ? (
        <p className="px-4 py-6 text-center text-control text-muted">The table has no rows.</p>
      ) : (
        <TableView label={`Sample of ${table}`} className="max-h-120">
          <thead>
            <tr>
              {preview.columns.map((c) => (
                <Th key={c.name}>{c.name}</Th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a result have no identity and never move
              <Tr key={n}>
                {preview.columns.map((c) => (
                  <Td key={c.name} className="max-w-72 truncate font-mono text-label">
                    {row[c.name] === null ? <span className="text-muted italic">null</span> : cellText(row[c.name])}
                  </Td>
                ))}
              </Tr>
            ))}
          </tbody>
        </TableView>
      )}
    </Card>
  );
}
