import { ChevronRight, Database, LoaderCircle } from 'lucide-react';
import { useId, useMemo } from 'react';
import { describe } from '@/api/errors';
import { cx } from '@/lib/cx';
import { useStored } from '@/lib/use-stored';
import { databases } from '@/lib/words';
import { Chip } from '@/ui/chip';
import { CodeEditor } from '@/ui/code-editor';
import type { EditorLanguage } from '@/ui/editor/language';
import { Select } from '@/ui/select';
import { State } from '@/ui/state';
import type { Column } from './api';
import type { Builder } from './builder';
import { defaultSchema, namespaceOf } from './completion';
import { placeOf, units } from './markers';
import { dialectOf } from './use-analysis';

const jq = { name: 'jq' } as const;

/** The statement, and below it the transform. */
export function SqlPane({ builder }: { builder: Builder }) {
  const { state, dispatch, judgement, errors } = builder;
  const language = useSqlLanguage(builder);
  return (
    <section aria-label="SQL and transform" className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      <div className="flex h-10 shrink-0 items-center gap-2 border-b border-line pr-2 pl-4">
        <h2 className="text-control font-semibold">SQL</h2>
        <ConnectionSelect builder={builder} />
      </div>
      {errors.connection_id && <FieldError id="tool-connection_id-error" text={errors.connection_id} />}
      <div data-editor="sql_query" className="flex min-h-24 flex-1 flex-col">
        <CodeEditor
          value={state.form.sql_query}
          onChange={(sql_query) => dispatch({ type: 'edit', patch: { sql_query } })}
          label="SQL query"
          language={language}
          markers={judgement.sqlMarkers}
          invalid={errors.sql_query !== undefined}
          placeholder="SELECT … WHERE column = :parameter"
          onRun={builder.run}
          onSave={builder.save}
          className="min-h-0 flex-1 overflow-hidden"
        />
      </div>
      <Problems builder={builder} />
      <StatusLine builder={builder} />
      <Transform builder={builder} />
    </section>
  );
}

function ConnectionSelect({ builder }: { builder: Builder }) {
  const { state, dispatch, connections, connection, errors } = builder;
  const options = connections.map((c) => ({
    value: c.id,
    label: c.name,
    hint: `${databases[c.db_type]}${c.read_only ? ', read-only' : ''}`,
  }));
  if (!connection) options.unshift({ value: state.form.connection_id, label: 'Choose a connection', hint: '' });
  return (
    <Select
      id="tool-connection_id"
      label="Connection"
      size="sm"
      className="max-w-52"
      value={state.form.connection_id}
      onChange={(connection_id) => dispatch({ type: 'edit', patch: { connection_id } })}
      options={options}
      icon={<Database aria-hidden className="size-3.5 text-muted" />}
      aria-invalid={errors.connection_id ? true : undefined}
      aria-describedby={errors.connection_id ? 'tool-connection_id-error' : undefined}
    />
  );
}

function FieldError({ id, text }: { id: string; text: string }) {
  return (
    <p id={id} className="border-b border-line bg-bad-soft px-4 py-1.5 text-label text-bad">
      {text}
    </p>
  );
}

/** Kept as it is until something changes: the editor sets itself up anew for another one. */
function useSqlLanguage({ judgement, connection }: Builder): EditorLanguage {
  const { tables } = judgement;
  const db = connection?.db_type;
  return useMemo(
    () => ({
      name: 'sql',
      dialect: dialectOf(db),
      schema: namespaceOf(tables),
      defaultSchema: defaultSchema(db, tables),
    }),
    [db, tables],
  );
}

/** What is wrong, in words and in order: a marker alone can only be found with a pointer. */
function Problems({ builder }: { builder: Builder }) {
  const { state, judgement, errors } = builder;
  const sql = state.form.sql_query;
  const items = judgement.sqlMarkers.map((m) => ({ ...m, ...placeOf(sql, m.from) }));
  const other = items.length === 0 ? (errors.sql_query ?? errors.parameters) : undefined;
  if (items.length === 0 && !other) return null;
  return (
    <ul aria-label="Problems of the statement" className="max-h-32 shrink-0 overflow-y-auto border-t border-line py-1">
      {items.map((p) => (
        <li key={`${p.from} ${p.message}`} className="flex gap-2 px-4 py-1 text-label">
          <State kind={p.severity} className="h-4 text-label!">
            {`Line ${p.line}`}
          </State>
          <span className="min-w-0 break-words">{p.message}</span>
        </li>
      ))}
      {other && (
        <li className="flex gap-2 px-4 py-1 text-label">
          <State kind="error" className="h-4 text-label!">
            Not saved
          </State>
          <span className="min-w-0 break-words">{other}</span>
        </li>
      )}
    </ul>
  );
}

const classes: Readonly<Record<string, string>> = {
  read: 'Reads only',
  write: 'Changes data',
  ddl: 'Changes the schema',
  control: 'Changes the session',
};

function StatusLine({ builder }: { builder: Builder }) {
  const { judgement, connection, state } = builder;
  const { analysis } = judgement;
  return (
    <div className="flex min-h-8 shrink-0 items-center gap-4 border-t border-line px-4 py-1">
      <Verdict builder={builder} />
      {analysis && connection && state.form.sql_query.trim() !== '' && (
        <span className="ml-auto text-label whitespace-nowrap text-muted">
          {classes[analysis.statement_class] ?? 'Kind unknown'}
        </span>
      )}
    </div>
  );
}

function Verdict({ builder }: { builder: Builder }) {
  const { judgement, connection, state } = builder;
  const small = 'text-label!';
  if (state.form.sql_query.trim() === '') return <span className="text-label text-muted">One statement</span>;
  if (!connection) return <span className="text-label text-muted">Choose a connection to check the statement.</span>;
  const title = databases[connection.db_type];
  if (judgement.sqlMarkers.some((m) => m.severity === 'error')) {
    const { check } = judgement;
    if (!check || check.ok)
      return (
        <State kind="error" className={small}>
          Needs a change
        </State>
      );
    if (check.offset < 0) return <State kind="error" className={small}>{`Refused by ${title}`}</State>;
    const { line, column } = placeOf(state.form.sql_query, units(state.form.sql_query, check.offset));
    return <State kind="error" className={small}>{`Refused by ${title} at ${line}:${column}`}</State>;
  }
  if (judgement.check?.ok) return <State kind="live" className={small}>{`Checked by ${title}`}</State>;
  if (judgement.checking) {
    return (
      <span className="inline-flex items-center gap-1.5 text-label text-muted">
        <LoaderCircle aria-hidden className="size-3 animate-spin" />
        {`Checking with ${title}`}
      </span>
    );
  }
  if (judgement.checkError) {
    return (
      <span className="inline-flex min-w-0 gap-1.5 text-label">
        <State kind="warning" className={small}>
          Not checked
        </State>
        <span className="min-w-0 text-muted">{describe(judgement.checkError).cause}</span>
      </span>
    );
  }
  return <span className="text-label text-muted">Not checked yet</span>;
}

function Transform({ builder }: { builder: Builder }) {
  const { state, dispatch, judgement, preview, errors } = builder;
  const id = useId();
  const [stored, setStored] = useStored('builder-transform', 'auto');
  const open = stored === 'open' || (stored === 'auto' && state.form.transform !== '');
  const wrong = judgement.transformMarkers[0]?.message ?? errors.transform;
  const columns = preview.result?.columns ?? judgement.check?.columns ?? [];
  return (
    <div className="shrink-0 border-t border-line">
      <h3>
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setStored(open ? 'closed' : 'open')}
          className="focus-inset flex h-10 w-full items-center gap-2 pr-4 pl-3 text-left hover:bg-hover pointer-coarse:h-11"
        >
          <ChevronRight aria-hidden className={cx('text-muted transition-transform', open && 'rotate-90')} />
          <span className="text-control font-semibold">Transform</span>
          <Chip mono>jq</Chip>
          <span className="ml-auto text-label font-normal text-muted">
            {state.form.transform.trim() === ''
              ? 'none, rows as they are'
              : wrong
                ? 'has an error'
                : 'rows in, JSON out'}
          </span>
        </button>
      </h3>
      {open && (
        <div id={id}>
          <ColumnHints columns={columns} />
          <div data-editor="transform">
            <CodeEditor
              value={state.form.transform}
              onChange={(transform) => dispatch({ type: 'edit', patch: { transform } })}
              label="Transform program"
              language={jq}
              markers={judgement.transformMarkers}
              invalid={wrong !== undefined}
              placeholder="{ items: map({ name, total }) }"
              onRun={builder.run}
              onSave={builder.save}
              className="h-34 overflow-hidden border-t border-line"
            />
          </div>
          {wrong && (
            <p className="border-t border-line px-4 py-1.5 text-label text-bad" role="status">
              {wrong}
            </p>
          )}
        </div>
      )}
    </div>
  );
}

function ColumnHints({ columns }: { columns: readonly Column[] }) {
  if (columns.length === 0) {
    return <p className="px-4 pb-2 text-label text-muted">Run the preview to see the columns each row has.</p>;
  }
  return (
    <ul aria-label="Fields of each row" className="flex max-h-16 flex-wrap gap-1 overflow-y-auto px-4 pb-2">
      {columns.map((c) => (
        <li key={c.name} className="flex">
          <Chip mono>{/^[A-Za-z_]\w*$/.test(c.name) ? `.${c.name}` : `.["${c.name}"]`}</Chip>
        </li>
      ))}
    </ul>
  );
}
