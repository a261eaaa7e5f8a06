import { Play, Square } from 'lucide-react';
import { useMemo } from 'react';
import { describe } from '@/api/errors';
import { formatBytes, formatDuration, formatSpan, plural } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { CopyIcon } from '@/ui/copy-button';
import { EmptyState } from '@/ui/empty-state';
import { Kbd } from '@/ui/kbd';
import { Notice } from '@/ui/notice';
import { Table, Td, Th, Tr } from '@/ui/table';
import type { Column, PreviewOut } from './api';
import type { Builder } from './builder';
import { sizeOf } from './json-view';
import { placeOf, units } from './markers';
import { ResultBar } from './result-bar';
import { isCurrent } from './use-preview';

const limits = 'Previews are read-only: at most 100 rows and 10 seconds.';

/** The rows of the statement with the test values. */
export function PreviewTab({ builder }: { builder: Builder }) {
  const { preview, state } = builder;
  const { result, input, error } = preview;
  const old = result && input && !isCurrent(input, state.form, state.tests);
  const size = useMemo(() => (result ? sizeOf(result.rows) : 0), [result]);
  return (
    <>
      <ResultBar actions={<RunButton builder={builder} />}>
        {result ? (
          <span>
            <b className="font-semibold text-fg">{plural(result.row_count, 'row')}</b>
            {` · ${formatDuration(result.execution_ms)} · ${formatBytes(size)}`}
          </span>
        ) : (
          <span>{error == null ? 'Not run yet' : 'No result'}</span>
        )}
        {result && <CopyIcon label="Copy rows as JSON" text={JSON.stringify(result.rows, null, 2)} />}
      </ResultBar>
      {error != null && <Failure builder={builder} />}
      {result?.truncated && (
        <Notice tone="warn" className="m-3 mb-0 shrink-0">
          There are more rows than a preview shows. {limits}
        </Notice>
      )}
      {old && (
        <p className="shrink-0 px-4 py-2 text-label text-muted">
          Something changed since this result. Run the preview again to see it.
        </p>
      )}
      {result ? <Rows result={result} /> : error == null && preview.since === undefined && <NotRun builder={builder} />}
    </>
  );
}

function RunButton({ builder }: { builder: Builder }) {
  const { preview, run } = builder;
  if (preview.since !== undefined) {
    return (
      <>
        <Elapsed since={preview.since} />
        <Button size="sm" onClick={preview.cancel}>
          <Square aria-hidden className="size-3.5" />
          {buttons.cancel}
        </Button>
      </>
    );
  }
  return (
    <>
      <span className="max-sm:hidden">
        <Kbd keys="mod+enter" />
      </span>
      <Button size="sm" onClick={run}>
        <Play aria-hidden className="size-3.5" />
        Run preview
      </Button>
    </>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(500);
  return <span role="status">Running, {formatSpan(Math.max(0, now.getTime() - since))}</span>;
}

function NotRun({ builder }: { builder: Builder }) {
  const ready = builder.connection && builder.state.form.sql_query.trim() !== '';
  return (
    <EmptyState
      icon={<Play aria-hidden />}
      title="Nothing to show yet"
      actions={
        ready && (
          <Button intent="primary" onClick={builder.run}>
            <Play aria-hidden />
            Run preview
          </Button>
        )
      }
    >
      {ready
        ? `Runs the statement with the test values beside the parameters. ${limits}`
        : 'Choose a connection and write a statement first.'}
    </EmptyState>
  );
}

/** The server's words, with the place in the statement where the database knows it. */
function Failure({ builder }: { builder: Builder }) {
  const { preview, judgement, state } = builder;
  const { cause, next, requestId } = describe(preview.error);
  const { check } = judgement;
  // A test value that is wrong has no place in the statement.
  const aboutValues = Object.keys(preview.argumentErrors).length > 0;
  const at =
    !aboutValues && check && !check.ok && check.offset >= 0
      ? placeOf(state.form.sql_query, units(state.form.sql_query, check.offset))
      : undefined;
  return (
    <div role="alert" className="shrink-0 p-3 pb-0">
      <Notice tone="bad" title="The preview failed">
        <p className="break-words">
          {cause} {next}
        </p>
        {at && (
          <pre className="mt-1.5 overflow-x-auto rounded bg-surface px-2 py-1 font-mono text-label">
            <span className="text-muted">{`${at.line}:${at.column}  `}</span>
            {state.form.sql_query.split('\n')[at.line - 1]}
          </pre>
        )}
        {requestId && <p className="mt-1 font-mono text-label text-muted">request {requestId}</p>}
      </Notice>
    </div>
  );
}

function Rows({ result }: { result: PreviewOut }) {
  const rows = Array.isArray(result.rows) ? (result.rows as readonly Record<string, unknown>[]) : [];
  if (rows.length === 0) {
    return (
      <p className="px-4 py-6 text-center text-control text-muted">
        No rows. {result.columns.length > 0 && `The columns are ${result.columns.map((c) => c.name).join(', ')}.`}
      </p>
    );
  }
  const numeric = new Set(result.columns.filter((c) => isNumber(c, rows)).map((c) => c.name));
  return (
    <Table label="Preview rows" className="min-h-0 flex-1">
      <thead>
        <tr>
          {result.columns.map((c) => (
            <Th key={c.name} num={numeric.has(c.name)}>
              <span title={c.type}>{c.name}</span>
            </Th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no key of their own and are replaced together
          <Tr key={n}>
            {result.columns.map((c) => (
              <Td key={c.name} num={numeric.has(c.name)} className="h-8! max-w-80 truncate">
                <Cell value={row[c.name]} />
              </Td>
            ))}
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** By its type; an expression has none in some databases, so there the values say it. */
function isNumber(c: Column, rows: readonly Record<string, unknown>[]): boolean {
  if (c.param_type === 'integer' || c.param_type === 'number') return true;
  const values = rows.map((row) => row[c.name]).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => typeof value === 'number');
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="text-muted">NULL</span>;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? <span title={text}>{text}</span> : text;
}
