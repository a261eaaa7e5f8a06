import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { lineDiff } from '@/lib/line-diff';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Checkbox } from '@/ui/checkbox';
import { Chip } from '@/ui/chip';
import { CodeEditor } from '@/ui/code-editor';
import { Combobox } from '@/ui/combobox';
import { ConfirmDialog } from '@/ui/confirm-dialog';
import { CopyButton } from '@/ui/copy-button';
import { type Column, DataTable } from '@/ui/data-table';
import { Diff } from '@/ui/diff';
import type { EditorLanguage } from '@/ui/editor/language';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { IconButton } from '@/ui/icon-button';
import { Input } from '@/ui/input';
import { JsonCode } from '@/ui/json-code';
import { Panes } from '@/ui/panes';
import { Segmented } from '@/ui/segmented';
import { Select } from '@/ui/select';
import { StaleNote } from '@/ui/stale-note';
import { Switch } from '@/ui/switch';
import { Textarea } from '@/ui/textarea';
import { toast } from '@/ui/toast-store';
import { Toasts } from '@/ui/toasts';
import './gallery.css';

interface Row {
  id: string;
  name: string;
  kind: string;
  calls: number;
}
const rows: Row[] = ['alpha', 'beta', 'gamma', 'delta'].map((name, n) => ({
  id: String(n),
  name,
  kind: 'SQLite',
  calls: n * 1200,
}));
const columns: Column<Row>[] = [
  { key: 'name', header: 'Name', sort: 'name', card: 'title', cell: (r) => <a href={`#${r.name}`}>{r.name}</a> },
  { key: 'kind', header: 'Kind', card: 'line', cell: (r) => r.kind },
  { key: 'calls', header: 'Calls', num: true, card: 'line', cell: (r) => r.calls },
  {
    key: 'more',
    header: <span className="sr-only">Actions</span>,
    card: 'corner',
    cell: (r) => <Button size="sm">{`Edit ${r.name}`}</Button>,
  },
];
const sql: EditorLanguage = { name: 'sql', dialect: 'postgresql', schema: { orders: ['id', 'total', 'placed_at'] } };
const jq: EditorLanguage = { name: 'jq' };
const json: EditorLanguage = { name: 'json' };
const statement =
  "select id, total::numeric -- :not_one\nfrom orders\nwhere note <> ':nor_this' and placed_at >= :since";
const options = ['disable', 'require', 'verify-full'].map((value) => ({ value, label: value, hint: `Mode ${value}` }));

function Gallery() {
  const [text, setText] = useState(statement);
  const [ran, setRan] = useState(0);
  const [mode, setMode] = useState('require');
  const [city, setCity] = useState('');
  const [on, setOn] = useState(false);
  const [view, setView] = useState<'a' | 'b'>('a');
  const [sort, setSort] = useState('name');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState('');
  return (
    <main className="grid gap-4 p-4">
      <h1 className="text-title font-semibold">Primitives</h1>
      <Card title="Controls">
        <div className="grid gap-3 sm:grid-cols-3">
          <Field label="Name" required error="This name is taken." hint="Letters and digits.">
            {(ids) => <Input {...ids} />}
          </Field>
          <Field label="TLS">{(ids) => <Select {...ids} value={mode} onChange={setMode} options={options} />}</Field>
          <Field label="Table" required={false}>
            {(ids) => (
              <Combobox {...ids} value={city} onChange={setCity} options={options} placeholder="Choose a table" />
            )}
          </Field>
          <Field label="Note">{(ids) => <Textarea {...ids} rows={2} />}</Field>
          <Checkbox checked={on} onChange={setOn} hint="It is only a hint.">
            Only reads data
          </Checkbox>
          <Switch label="Enabled" checked={on} onChange={setOn} />
          <Segmented
            label="View"
            value={view}
            onChange={setView}
            options={[
              { value: 'a', label: 'Raw' },
              { value: 'b', label: 'Transformed' },
            ]}
          />
          <span className="flex flex-wrap gap-2">
            <Chip>Neutral</Chip>
            <Chip tone="ok">Ok</Chip>
            <Chip tone="warn">Warn</Chip>
            <Chip tone="bad">Bad</Chip>
            <Chip tone="info">Info</Chip>
            <Chip tone="accent">Accent</Chip>
          </span>
          <span className="flex gap-2">
            <CopyButton text="x" label="Copy snippet" />
            <IconButton label="More" icon={<span aria-hidden>…</span>} />
          </span>
          <span className="flex flex-wrap gap-2">
            <Button onClick={() => toast('Tool deleted.', { action: { label: 'Undo', run: () => setRan(100) } })}>
              Toast
            </Button>
            <Button onClick={() => setDialog('form')}>Form</Button>
            <Button onClick={() => setDialog('confirm')}>Confirm</Button>
          </span>
          <StaleNote updated={new Date(Date.now() - 120_000)} retrying />
          <output aria-label="Runs">{ran}</output>
        </div>
      </Card>
      <Card flush label="List">
        <DataTable
          label="Things"
          columns={columns}
          rows={rows}
          rowKey={(r) => r.id}
          rowName={(r) => r.name}
          sort={sort}
          onSort={setSort}
          selected={selected}
          onSelect={setSelected}
        />
      </Card>
      <Panes
        name="gallery"
        className="h-60 border border-line max-sm:hidden"
        panes={[
          {
            key: 'sql',
            label: 'SQL',
            share: 2,
            min: 160,
            content: (
              <CodeEditor
                label="SQL query"
                language={sql}
                value={text}
                onChange={setText}
                onRun={() => setRan(ran + 1)}
                markers={[{ from: 7, to: 9, severity: 'error', message: 'column "id" is ambiguous' }]}
                className="min-h-0 flex-1"
              />
            ),
          },
          {
            key: 'jq',
            label: 'Transform',
            share: 1,
            min: 160,
            content: (
              <CodeEditor
                label="Transform"
                language={jq}
                value={'map(.total) | add # sum'}
                className="min-h-0 flex-1"
              />
            ),
          },
          {
            key: 'json',
            label: 'Schema',
            share: 1,
            min: 160,
            content: (
              <CodeEditor label="Schema" language={json} value={'{"a": 1, "b": [true]}'} className="min-h-0 flex-1" />
            ),
          },
        ]}
      />
      <output aria-label="Text" className="font-mono text-label whitespace-pre-wrap">
        {text}
      </output>
      <Diff label="Difference" lines={lineDiff('a\nb\nc', 'a\nx\nc')} />
      <JsonCode label="Answer" code={'{"rows": [1, null, "x\\"y"]}'} />
      <FormDialog
        open={dialog === 'form'}
        onClose={() => setDialog('')}
        title="Create token"
        submit="Create token"
        onSubmit={() => setDialog('')}
      >
        <Field label="Scope">{(ids) => <Select {...ids} value={mode} onChange={setMode} options={options} />}</Field>
      </FormDialog>
      <ConfirmDialog
        open={dialog === 'confirm'}
        onClose={() => setDialog('')}
        title="Delete connection Warehouse"
        verb="Delete connection"
        typed="Warehouse"
        onConfirm={async () => setRan(1000)}
        describeError={String}
      >
        <p>Three tools use it.</p>
      </ConfirmDialog>
      <Toasts />
    </main>
  );
}

const root = document.getElementById('root');
if (!root) throw new Error('root element is missing');
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <Gallery />
    </CSPProvider>
  </StrictMode>,
);
