import { Plus, Trash2 } from 'lucide-react';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { IconButton } from '@/ui/icon-button';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import { fieldId, type SectionProps } from './form-parts';
import { isKindOption } from './kinds';
import type { Option, OptionType } from './values';

const types: readonly { value: OptionType; label: string }[] = [
  { value: 'text', label: 'text' },
  { value: 'number', label: 'number' },
  { value: 'boolean', label: 'yes or no' },
  { value: 'json', label: 'JSON' },
];
const booleans = [
  { value: 'true', label: 'yes' },
  { value: 'false', label: 'no' },
] as const;

/** What the kind's own fields do not cover: driver options by name. */
export function Advanced({ form }: SectionProps) {
  const { options, db_type: kind } = form.values;
  const error = form.errors.extra_params;
  const set = (next: readonly Option[]) => form.change({ options: next });
  const rows = options.flatMap((option, index) => (isKindOption(kind, option.name) ? [] : [{ option, index }]));
  return (
    <Card
      title="Advanced"
      meta="Options of the driver"
      actions={
        <Button size="sm" intent="ghost" onClick={() => set([...options, { name: '', type: 'text', value: '' }])}>
          <Plus aria-hidden />
          Add option
        </Button>
      }
    >
      <div id={fieldId('extra_params')} tabIndex={-1} className="grid gap-2">
        {rows.length === 0 && <p className="text-control text-muted">None. Most connections need none.</p>}
        {rows.map(({ option, index }) => (
          <OptionRow
            key={index}
            option={option}
            error={form.errors[`extra_params.${option.name}`]}
            onChange={(next) => set(options.map((o, n) => (n === index ? next : o)))}
            onRemove={() => set(options.filter((_, n) => n !== index))}
          />
        ))}
        {error && <p className="text-label text-bad">{error}</p>}
      </div>
    </Card>
  );
}

interface RowProps {
  option: Option;
  error: string | undefined;
  onChange: (option: Option) => void;
  onRemove: () => void;
}

function OptionRow({ option, error, onChange, onRemove }: RowProps) {
  const id = fieldId(`extra_params.${option.name}`);
  const label = option.name || 'new option';
  const invalid = error ? { 'aria-invalid': true as const, 'aria-describedby': `${id}-error` } : {};
  return (
    <div className="grid gap-1">
      <div className="grid grid-cols-[minmax(0,1fr)_7.5rem_minmax(0,1.4fr)_auto] items-center gap-2 max-sm:grid-cols-[minmax(0,1fr)_7.5rem_auto]">
        <Input
          id={id}
          mono
          aria-label="Name of the option"
          placeholder="name"
          autoComplete="off"
          spellCheck={false}
          value={option.name}
          onChange={(e) => onChange({ ...option, name: e.target.value.trim() })}
          {...invalid}
        />
        <Select
          label={`Type of ${label}`}
          value={option.type}
          onChange={(type) => onChange({ ...option, type, value: type === 'boolean' ? 'true' : option.value })}
          options={types}
        />
        <span className="max-sm:order-last max-sm:col-span-3">
          {option.type === 'boolean' ? (
            <Select
              label={`Value of ${label}`}
              value={option.value === 'true' ? 'true' : 'false'}
              onChange={(value) => onChange({ ...option, value })}
              options={booleans}
            />
          ) : (
            <Input
              mono
              aria-label={`Value of ${label}`}
              placeholder="value"
              autoComplete="off"
              spellCheck={false}
              value={option.value}
              onChange={(e) => onChange({ ...option, value: e.target.value })}
              {...invalid}
            />
          )}
        </span>
        <IconButton size="sm" label={`Remove ${label}`} icon={<Trash2 aria-hidden />} onClick={onRemove} />
      </div>
      {error && (
        <p id={`${id}-error`} className="text-label text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
