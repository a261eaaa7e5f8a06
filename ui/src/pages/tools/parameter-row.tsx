import { ChevronRight, Undo2 } from 'lucide-react';
import { useId } from 'react';
import { cx } from '@/lib/cx';
import { Button } from '@/ui/button';
import { Chip } from '@/ui/chip';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import { Switch } from '@/ui/switch';
import { Textarea } from '@/ui/textarea';
import type { UsedParameter } from './api';
import type { Builder } from './builder';
import { equal } from './equal';
import { fieldId } from './errors';
import { argumentsOf, type ParameterForm } from './form';
import type { Gone } from './reconcile';
import { itemTypes, paramTypes } from './values';

interface Props {
  builder: Builder;
  parameter: ParameterForm;
  /** What the statement says about it. */
  used: UsedParameter | undefined;
  /** The name it was saved under, when the statement calls it something else now. */
  renamedFrom: string | undefined;
  open: boolean;
  onToggle: () => void;
}

const options = <V extends string>(types: readonly V[]) => types.map((value) => ({ value, label: value }));

export function ParameterRow(props: Props) {
  const { builder, parameter: p, renamedFrom, open, onToggle } = props;
  const id = useId();
  const refused = builder.preview.argumentErrors[p.name];
  const given = argumentsOf([p], builder.state.tests)[p.name];
  const wrong = refused && equal(refused.value, given) ? refused.message : undefined;
  return (
    <li className={cx('border-b border-line', open && 'bg-surface')}>
      <div className="flex min-h-10 items-center gap-2 py-1 pr-4 pl-3 hover:bg-hover">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={onToggle}
          className="flex min-h-7 min-w-0 flex-1 items-center gap-2 rounded text-left"
        >
          <ChevronRight aria-hidden className={cx('text-muted transition-transform', open && 'rotate-90')} />
          {/* One line where it fits; a long name never gives way to what is said about it. */}
          <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2 gap-y-0.5">
            <span className="max-w-full truncate font-mono text-label text-warn">:{p.name}</span>
            <span className="flex items-center gap-2 text-label text-muted">
              {p.param_type}
              {p.is_required && p.default_value === '' && <Chip tone="accent">required</Chip>}
            </span>
          </span>
        </button>
        <TestValue {...props} errorId={wrong ? `${id}-test` : undefined} />
      </div>
      {wrong && (
        <p id={`${id}-test`} className="pr-4 pb-2 pl-9 text-right text-label text-bad">
          {wrong}
        </p>
      )}
      {renamedFrom && (
        <p className="pr-4 pb-2 pl-9 text-label text-muted">
          Renamed from <code className="font-mono">:{renamedFrom}</code>. Its settings were kept.
        </p>
      )}
      {open && <Settings {...props} id={id} />}
    </li>
  );
}

function TestValue({ builder, parameter: p, errorId }: Props & { errorId: string | undefined }) {
  const { state, dispatch } = builder;
  const given = state.tests[p.name] ?? '';
  const set = (text: string) => dispatch({ type: 'test', name: p.name, text });
  const label = `Test value for ${p.name}`;
  const fallback = p.default_value === '' ? 'NULL' : p.default_value;
  if (p.param_type === 'boolean') {
    const unset = { value: '', label: fallback };
    return (
      <Select
        label={label}
        size="sm"
        mono
        aria-invalid={errorId ? true : undefined}
        aria-describedby={errorId}
        className="w-24! shrink-0 text-label!"
        value={given}
        onChange={set}
        options={[unset, { value: 'true', label: 'true' }, { value: 'false', label: 'false' }]}
      />
    );
  }
  return (
    <span className="w-24 shrink-0">
      <Input
        mono
        size="sm"
        aria-label={label}
        aria-invalid={errorId ? true : undefined}
        aria-describedby={errorId}
        value={given}
        placeholder={fallback}
        inputMode={p.param_type === 'integer' || p.param_type === 'number' ? 'decimal' : undefined}
        autoComplete="off"
        onChange={(e) => set(e.target.value)}
        className="px-2! text-right text-label!"
      />
    </span>
  );
}

function Settings({ builder, parameter: p, used, id }: Props & { id: string }) {
  const { dispatch, errors } = builder;
  const set = (patch: Partial<ParameterForm>) => dispatch({ type: 'parameter', name: p.name, patch });
  const at = (field: keyof ParameterForm) => `parameters.${p.name}.${field}`;
  const common = (field: keyof ParameterForm) => ({ id: fieldId(at(field)), error: errors[at(field)] });
  const numeric = p.param_type === 'integer' || p.param_type === 'number';
  const compared = used?.compared ? `Compared with ${used.compared}.` : undefined;
  const suggested =
    used && used.suggested_type !== p.param_type ? `The statement suggests ${used.suggested_type}.` : undefined;
  return (
    <div id={id} className="grid gap-3 px-4 pt-1 pb-4">
      <div className="grid grid-cols-2 gap-2">
        <Field
          label="Type"
          {...common('param_type')}
          hint={[compared, suggested].filter(Boolean).join(' ') || undefined}
        >
          {(ids) => (
            <Select
              {...ids}
              label={`Type of ${p.name}`}
              value={p.param_type}
              onChange={(param_type) => set({ param_type })}
              options={options(paramTypes)}
            />
          )}
        </Field>
        {p.param_type === 'array' && (
          <Field label="Items" {...common('item_type')}>
            {(ids) => (
              <Select
                {...ids}
                label={`Items of ${p.name}`}
                value={p.item_type}
                onChange={(item_type) => set({ item_type })}
                options={options(itemTypes)}
              />
            )}
          </Field>
        )}
        <Field
          label="Default"
          {...common('default_value')}
          hint={p.is_required && p.default_value !== '' ? 'With a default, callers may leave it out.' : undefined}
        >
          {(ids) =>
            p.param_type === 'boolean' ? (
              <Select
                {...ids}
                label={`Default of ${p.name}`}
                value={p.default_value}
                onChange={(default_value) => set({ default_value })}
                options={[
                  { value: '', label: 'none' },
                  { value: 'true', label: 'true' },
                  { value: 'false', label: 'false' },
                ]}
              />
            ) : (
              <Input
                {...ids}
                mono
                value={p.default_value}
                placeholder="none"
                autoComplete="off"
                onChange={(e) => set({ default_value: e.target.value })}
              />
            )
          }
        </Field>
      </div>
      {p.param_type !== 'array' && p.param_type !== 'boolean' && (
        <Field label="Allowed values" {...common('enum_values')} hint="With commas between them. Empty allows any.">
          {(ids) => (
            <Input
              {...ids}
              mono
              value={p.enum_values}
              placeholder="any"
              autoComplete="off"
              onChange={(e) => set({ enum_values: e.target.value })}
            />
          )}
        </Field>
      )}
      {numeric && (
        <div className="grid grid-cols-2 gap-2">
          {(['minimum', 'maximum'] as const).map((field) => (
            <Field key={field} label={field === 'minimum' ? 'Minimum' : 'Maximum'} {...common(field)}>
              {(ids) => (
                <Input
                  {...ids}
                  mono
                  value={p[field]}
                  placeholder="none"
                  inputMode="decimal"
                  autoComplete="off"
                  onChange={(e) => set({ [field]: e.target.value })}
                />
              )}
            </Field>
          ))}
        </div>
      )}
      {p.param_type === 'string' && (
        <Field label="Pattern" {...common('pattern')} hint="A regular expression (RE2) that the text has to match.">
          {(ids) => (
            <Input
              {...ids}
              mono
              value={p.pattern}
              placeholder="none"
              autoComplete="off"
              onChange={(e) => set({ pattern: e.target.value })}
            />
          )}
        </Field>
      )}
      <Field label="Description" {...common('description')} hint="Models read it to choose a value.">
        {(ids) => (
          <Textarea {...ids} rows={2} value={p.description} onChange={(e) => set({ description: e.target.value })} />
        )}
      </Field>
      <div className="flex items-center justify-between gap-4 text-control">
        <span aria-hidden className="min-w-0">
          Required
          <span className="block text-label text-muted">
            {p.is_required ? 'Calls without it are refused.' : 'Left out, it is NULL or the default.'}
          </span>
        </span>
        <Switch
          label={`${p.name} is required`}
          checked={p.is_required}
          onChange={(is_required) => set({ is_required })}
        />
      </div>
    </div>
  );
}

/** A parameter whose placeholder left the statement. Saving the tool removes it for good. */
export function GoneRow({ builder, gone }: { builder: Builder; gone: Gone }) {
  const { name, param_type } = gone.parameter;
  return (
    <li className="flex min-h-10 items-center gap-2 border-b border-line py-1 pr-4 pl-9">
      <span className="min-w-0 flex-1">
        <s className="font-mono text-label text-muted">:{name}</s>
        <span className="ml-2 text-label text-muted">{param_type}, not in the statement</span>
      </span>
      <Button size="sm" onClick={() => builder.dispatch({ type: 'restore', name })}>
        <Undo2 aria-hidden className="size-3.5" />
        Restore
      </Button>
    </li>
  );
}
