import { Field, type FieldIds } from '@/ui/field';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import { Switch } from '@/ui/switch';
import { Textarea } from '@/ui/textarea';
import type { UsedParameter } from './api';
import type { Builder } from './builder';
import { fieldId } from './errors';
import type { ParameterForm } from './form';
import { itemTypes, paramTypes } from './values';

interface Props {
  builder: Builder;
  parameter: ParameterForm;
  /** What the statement says about it. */
  used: UsedParameter | undefined;
  id: string;
}

/** The fields that are typed into. */
type TextField = 'default_value' | 'enum_values' | 'minimum' | 'maximum' | 'pattern';

const options = <V extends string>(types: readonly V[]) => types.map((value) => ({ value, label: value }));

/** Everything about one parameter but its test value. Which fields there are depends on its type. */
export function ParameterSettings({ builder, parameter: p, used, id }: Props) {
  const { dispatch } = builder;
  const set = (patch: Partial<ParameterForm>) => dispatch({ type: 'parameter', name: p.name, patch });
  const common = commonOf(builder, p);
  const text = { builder, parameter: p };
  const plain = p.param_type !== 'array' && p.param_type !== 'boolean';
  return (
    <div id={id} className="grid gap-3 px-4 pt-1 pb-4">
      <div className="grid grid-cols-2 gap-2">
        <Types builder={builder} parameter={p} used={used} />
        <Default builder={builder} parameter={p} />
      </div>
      {plain && (
        <TextSetting
          {...text}
          field="enum_values"
          label="Allowed values"
          empty="any"
          hint="With commas between them."
        />
      )}
      {(p.param_type === 'integer' || p.param_type === 'number') && (
        <div className="grid grid-cols-2 gap-2">
          <TextSetting {...text} field="minimum" label="Minimum" inputMode="decimal" />
          <TextSetting {...text} field="maximum" label="Maximum" inputMode="decimal" />
        </div>
      )}
      {p.param_type === 'string' && (
        <TextSetting
          {...text}
          field="pattern"
          label="Pattern"
          hint="A regular expression (RE2) the text has to match."
        />
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

/** The id and the message that every field of a parameter needs. */
function commonOf({ errors }: Builder, p: ParameterForm) {
  return (field: keyof ParameterForm) => {
    const key = `parameters.${p.name}.${field}`;
    return { id: fieldId(key), error: errors[key] };
  };
}

function Types({ builder, parameter: p, used }: Omit<Props, 'id'>) {
  const { state, dispatch } = builder;
  const set = (patch: Partial<ParameterForm>) => dispatch({ type: 'parameter', name: p.name, patch });
  const common = commonOf(builder, p);
  const suggested = state.seen?.used.find((u) => u.name === p.name)?.suggested_type;
  const hints = [
    used?.compared && `Compared with ${used.compared}.`,
    suggested && suggested !== 'string' && suggested !== p.param_type && `That suggests ${suggested}.`,
  ].filter(Boolean);
  return (
    <>
      <Field label="Type" {...common('param_type')} hint={hints.join(' ') || undefined}>
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
    </>
  );
}

function Default({ builder, parameter: p }: Pick<Props, 'builder' | 'parameter'>) {
  if (p.param_type !== 'boolean') {
    const hint = p.is_required && p.default_value !== '' ? 'With a default, callers may leave it out.' : undefined;
    return <TextSetting builder={builder} parameter={p} field="default_value" label="Default" hint={hint} />;
  }
  return (
    <Field label="Default" {...commonOf(builder, p)('default_value')}>
      {(ids) => (
        <Select
          {...ids}
          label={`Default of ${p.name}`}
          value={p.default_value}
          onChange={(default_value) => builder.dispatch({ type: 'parameter', name: p.name, patch: { default_value } })}
          options={[
            { value: '', label: 'none' },
            { value: 'true', label: 'true' },
            { value: 'false', label: 'false' },
          ]}
        />
      )}
    </Field>
  );
}

interface TextProps extends Pick<Props, 'builder' | 'parameter'> {
  field: TextField;
  label: string;
  hint?: string;
  /** What an empty field means. */
  empty?: string;
  inputMode?: 'decimal';
}

function TextSetting({ builder, parameter: p, field, label, hint, empty = 'none', inputMode }: TextProps) {
  const input = (ids: FieldIds) => (
    <Input
      {...ids}
      mono
      value={p[field]}
      placeholder={empty}
      inputMode={inputMode}
      autoComplete="off"
      onChange={(e) => builder.dispatch({ type: 'parameter', name: p.name, patch: { [field]: e.target.value } })}
    />
  );
  return (
    <Field label={label} {...commonOf(builder, p)(field)} hint={hint}>
      {input}
    </Field>
  );
}
