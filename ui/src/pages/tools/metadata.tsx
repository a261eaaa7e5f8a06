import { formatCount } from '@/lib/format';
import { Checkbox } from '@/ui/checkbox';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { Switch } from '@/ui/switch';
import { Textarea } from '@/ui/textarea';
import type { Annotations } from './api';
import type { Builder } from './builder';
import { fieldId } from './errors';
import type { ToolForm } from './form';

const mostDescription = 4096;
/** Below this a model usually cannot tell when a tool fits. */
const shortDescription = 40;

/** The name, the words for models, and what callers may rely on. */
export function Metadata({ builder }: { builder: Builder }) {
  const { state, dispatch, errors } = builder;
  const { form } = state;
  const edit = (patch: Partial<Omit<ToolForm, 'parameters'>>) => dispatch({ type: 'edit', patch });
  const length = [...form.description].length;
  return (
    <div className="grid gap-4 px-4 py-4">
      <h2 className="text-control font-semibold">Metadata</h2>
      <Field
        label="Name"
        id={fieldId('name')}
        required
        error={errors.name}
        hint="Clients call it by this name: letters, digits, _ - and ."
      >
        {(ids) => (
          <Input
            {...ids}
            mono
            value={form.name}
            autoComplete="off"
            spellCheck={false}
            onChange={(e) => edit({ name: e.target.value })}
          />
        )}
      </Field>
      <Field
        label="Title"
        id={fieldId('title')}
        required={false}
        error={errors.title}
        hint="What people see in a client."
      >
        {(ids) => (
          <Input {...ids} value={form.title} autoComplete="off" onChange={(e) => edit({ title: e.target.value })} />
        )}
      </Field>
      <Field
        label="Description for the model"
        id={fieldId('description')}
        required
        error={errors.description}
        aside={`${formatCount(length)} / ${formatCount(mostDescription)}`}
        hint={
          length > 0 && length < shortDescription
            ? 'Say when to use it, what comes back and in which unit: a model decides by this text alone.'
            : 'Say when to use it and what comes back.'
        }
      >
        {(ids) => (
          <Textarea
            {...ids}
            rows={4}
            value={form.description}
            onChange={(e) => edit({ description: e.target.value })}
          />
        )}
      </Field>
      <Hints builder={builder} />
      <div className="grid grid-cols-2 gap-2">
        <Field
          label="Cache, seconds"
          id={fieldId('cache_ttl')}
          error={errors.cache_ttl}
          hint={
            form.cache_ttl.trim() === '0'
              ? '0 asks the database each time.'
              : 'The same call within this time gets the same answer.'
          }
        >
          {(ids) => (
            <Input
              {...ids}
              value={form.cache_ttl}
              inputMode="numeric"
              autoComplete="off"
              onChange={(e) => edit({ cache_ttl: e.target.value })}
            />
          )}
        </Field>
        <Field label="Tags" id={fieldId('tags')} error={errors.tags} hint="With commas between them.">
          {(ids) => (
            <Input {...ids} value={form.tags} autoComplete="off" onChange={(e) => edit({ tags: e.target.value })} />
          )}
        </Field>
      </div>
      <div className="flex items-center justify-between gap-4 text-control">
        <span aria-hidden>
          Enabled
          <span className="block text-label text-muted">
            {form.is_enabled ? 'The next deploy offers it to clients.' : 'The next deploy leaves it out.'}
          </span>
        </span>
        <Switch label="Enabled" checked={form.is_enabled} onChange={(is_enabled) => edit({ is_enabled })} />
      </div>
    </div>
  );
}

const words: readonly { key: keyof Annotations; label: string; hint: string }[] = [
  { key: 'read_only', label: 'Only reads data', hint: 'Clients may call it without asking the person.' },
  { key: 'idempotent', label: 'Can be repeated', hint: 'The same call again changes nothing more.' },
  { key: 'destructive', label: 'May destroy data', hint: 'Clients ask the person before each call.' },
  { key: 'open_world', label: 'Reaches beyond this database', hint: 'For instance through a foreign table.' },
];

/** Hints for the client (MCP, ToolAnnotations), in words. */
function Hints({ builder }: { builder: Builder }) {
  const { state, dispatch, errors } = builder;
  const { annotations } = state.form;
  const set = (key: keyof Annotations, on: boolean) => {
    const next = { ...annotations, [key]: on };
    // The two exclude each other: a tool that only reads destroys nothing.
    if (on && key === 'read_only') next.destructive = false;
    if (on && key === 'destructive') next.read_only = false;
    dispatch({ type: 'edit', patch: { annotations: next } });
  };
  const warning = contradiction(annotations, builder);
  return (
    <fieldset className="grid gap-2.5" aria-describedby={errors.annotations ? 'tool-annotations-error' : undefined}>
      <legend className="mb-2 text-label font-medium">What it does</legend>
      {words.map(({ key, label, hint }) => (
        <Checkbox key={key} checked={annotations[key]} onChange={(on) => set(key, on)} hint={hint}>
          {label}
        </Checkbox>
      ))}
      {errors.annotations && (
        <p id="tool-annotations-error" className="text-label text-bad">
          {errors.annotations}
        </p>
      )}
      {warning && !errors.annotations && <Notice tone="warn">{warning}</Notice>}
    </fieldset>
  );
}

/** Where the words and the statement disagree. */
function contradiction(annotations: Annotations, { judgement, connection }: Builder): string | undefined {
  const kind = judgement.analysis?.statement_class;
  if (!kind || kind === 'other') return undefined;
  if (annotations.read_only && kind !== 'read') {
    return 'The statement changes something, so the tool does not only read data. Saving is refused until one of them changes.';
  }
  if (!annotations.read_only && connection?.read_only) {
    return `The connection ${connection.name} is read-only: the tool can never write through it.`;
  }
  if (!annotations.read_only && kind === 'read') {
    return 'The statement only reads. With “Only reads data” clients call it without asking.';
  }
  return undefined;
}
