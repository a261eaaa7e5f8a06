import { Card } from '@/ui/card';
import { Checkbox } from '@/ui/checkbox';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Switch } from '@/ui/switch';
import { fieldId, type SectionProps, textField } from './form-parts';
import { kinds } from './kinds';

/** Field, the server's name, label with its unit, and what it allows. The ranges are those of store/connection.go. */
const limits = [
  ['statement_timeout_seconds', 'statement_timeout_seconds', 'Statement timeout, s', '1 to 600, usually 30'],
  ['max_rows', 'max_rows', 'Rows at most', '1 to 100,000, usually 1,000'],
  ['max_result_kib', 'max_result_bytes', 'Result at most, KiB', '1 to 10,240, usually 1,024'],
  ['max_concurrent_queries', 'max_concurrent_queries', 'Queries at once', '1 to 200, usually 5'],
] as const;
const pool = [
  ['pool_min_size', 'pool_min_size', 'Idle connections kept', '0 to 100, usually 0'],
  ['pool_max_size', 'pool_max_size', 'Connections at most', '1 to 100, usually 5'],
] as const;

type Row = (typeof limits | typeof pool)[number];

export function Limits({ form }: SectionProps) {
  const { queue_enabled: queue } = form.values;
  const wait = textField({ form }, 'queue_timeout_seconds');
  return (
    <Card title="Pool and queue" meta="What every tool on this connection inherits">
      <div className="grid gap-4">
        <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2 xl:grid-cols-4">
          {limits.map((row) => (
            <NumberField key={row[0]} form={form} row={row} />
          ))}
        </div>
        <div className="grid gap-x-4 gap-y-3 border-t border-line pt-4 sm:grid-cols-2 xl:grid-cols-4">
          {kinds[form.values.db_type].host && pool.map((row) => <NumberField key={row[0]} form={form} row={row} />)}
          <div className="grid content-start gap-3 sm:col-span-2">
            <Checkbox
              checked={queue}
              onChange={(queue_enabled) => form.change({ queue_enabled })}
              hint="Queries above the limit wait their turn. Off: they fail at once."
            >
              Queue
            </Checkbox>
            {queue && (
              <Field label="Queue wait at most, s" hint="1 to 300, usually 30" {...wait.field}>
                {(ids) => <Input {...ids} {...wait.input} inputMode="numeric" autoComplete="off" />}
              </Field>
            )}
          </div>
        </div>
      </div>
    </Card>
  );
}

function NumberField({ form, row: [field, wire, label, hint] }: SectionProps & { row: Row }) {
  const props = textField({ form }, field, wire);
  return (
    <Field label={label} hint={hint} {...props.field}>
      {(ids) => <Input {...ids} {...props.input} inputMode="numeric" autoComplete="off" />}
    </Field>
  );
}

export function Access({ form }: SectionProps) {
  const { read_only: readOnly, is_active: active } = form.values;
  return (
    <Card title="Access" flush>
      <SwitchRow
        id={fieldId('read_only')}
        label="Read-only"
        checked={readOnly}
        onChange={(read_only) => form.change({ read_only })}
        error={form.errors.read_only}
      >
        {readOnly
          ? 'Every statement runs read-only, refused by the database itself wherever it can. Tools that write are not deployed on it.'
          : 'Tools that are marked as writing can change data through this connection. The others still run read-only.'}
      </SwitchRow>
      <SwitchRow
        id={fieldId('is_active')}
        label="Enabled"
        checked={active}
        onChange={(is_active) => form.change({ is_active })}
        error={form.errors.is_active}
      >
        {active ? 'Tools and resources can use it.' : 'Tools and resources on it are left out of the next deploy.'}
      </SwitchRow>
    </Card>
  );
}

interface SwitchRowProps {
  id: string;
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
  error: string | undefined;
  children: string;
}

function SwitchRow({ id, label, checked, onChange, error, children }: SwitchRowProps) {
  return (
    <div className="flex items-center justify-between gap-4 border-b border-line px-4 py-3 last:border-b-0">
      <div className="min-w-0">
        <p className="text-control font-medium">{label}</p>
        <p id={`${id}-hint`} className="text-label text-muted">
          {children}
        </p>
        {error && <p className="text-label text-bad">{error}</p>}
      </div>
      <Switch id={id} label={label} checked={checked} onChange={onChange} aria-describedby={`${id}-hint`} />
    </div>
  );
}
