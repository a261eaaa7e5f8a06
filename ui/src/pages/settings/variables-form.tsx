import { Plus, Trash2, Variable as VariableIcon } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { EmptyState } from '@/ui/empty-state';
import { IconButton } from '@/ui/icon-button';
import { Input } from '@/ui/input';
import { Select } from '@/ui/select';
import { variablesFields } from './fields';
import { SectionForm } from './section-form';
import { useSection } from './use-section';
import { type Config, type Variable, variableErrors, variablesOf, variablesValue } from './values';

const types = [
  { value: 'string', label: 'text' },
  { value: 'number', label: 'number' },
  { value: 'boolean', label: 'yes or no' },
] as const;

const booleans = [
  { value: 'true', label: 'true' },
  { value: 'false', label: 'false' },
];

const most = 100;

export function VariablesForm({ config }: { config: Config }) {
  const [tried, setTried] = useState(false);
  const section = useSection({
    name: 'variables',
    config,
    fields: variablesFields,
    formOf: variablesOf,
    patchOf: (form) => ({ global_variables: variablesValue(form) }),
    check: (form) => {
      const fine = Object.keys(variableErrors(form)).length === 0;
      setTried(!fine);
      return fine;
    },
  });
  const { form: rows, change: setRows } = section.editing;
  const errors = tried ? variableErrors(rows) : {};
  const change = (key: number, part: Partial<Variable>) =>
    setRows(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  const add = () => {
    const key = Math.max(0, ...rows.map((row) => row.key)) + 1;
    setRows([...rows, { key, name: '', type: 'string', value: '' }]);
  };

  return (
    <SectionForm section={section} what="The list of variables">
      {(foot) => (
        <Card
          title="Global variables"
          meta={`${rows.length} of ${most}`}
          flush
          actions={
            rows.length > 0 && rows.length < most ? (
              <Button size="sm" onClick={add}>
                <Plus aria-hidden />
                Add variable
              </Button>
            ) : undefined
          }
        >
          {rows.length === 0 ? (
            <EmptyState
              icon={<VariableIcon aria-hidden />}
              title="No variables yet"
              actions={
                <Button intent="primary" onClick={add}>
                  <Plus aria-hidden />
                  Add variable
                </Button>
              }
            >
              Values that every transform can read as <code className="font-mono">$vars.name</code>, for example a
              currency or a tax rate. They need a deploy.
            </EmptyState>
          ) : (
            <ul className="divide-y divide-line">
              {rows.map((row) => (
                <li key={row.key} className="grid gap-1.5 px-4 py-2.5">
                  <Row
                    row={row}
                    error={errors[row.key]}
                    onChange={(part) => change(row.key, part)}
                    onRemove={() => setRows(rows.filter((r) => r.key !== row.key))}
                  />
                </li>
              ))}
            </ul>
          )}
          {foot}
        </Card>
      )}
    </SectionForm>
  );
}

interface RowProps {
  row: Variable;
  error?: string;
  onChange: (part: Partial<Variable>) => void;
  onRemove: () => void;
}

function Row({ row, error, onChange, onRemove }: RowProps) {
  const errorId = `variable-${row.key}-error`;
  const label = row.name || 'new variable';
  return (
    <>
      <div className="grid grid-cols-[minmax(0,1fr)_8rem_minmax(0,1.4fr)_auto] items-center gap-2 max-sm:grid-cols-[minmax(0,1fr)_8rem_auto]">
        <Input
          mono
          aria-label="Name"
          placeholder="name"
          value={row.name}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? errorId : undefined}
          onChange={(e) => onChange({ name: e.target.value })}
        />
        <Select
          label={`Type of ${label}`}
          value={row.type}
          onChange={(type) => onChange({ type, value: type === 'boolean' ? 'false' : row.value })}
          options={types}
        />
        <span className="max-sm:order-last max-sm:col-span-3">
          {row.type === 'boolean' ? (
            <Select
              label={`Value of ${label}`}
              value={row.value}
              onChange={(value) => onChange({ value })}
              options={booleans}
            />
          ) : (
            <Input
              mono
              aria-label={`Value of ${label}`}
              placeholder="value"
              inputMode={row.type === 'number' ? 'decimal' : undefined}
              value={row.value}
              onChange={(e) => onChange({ value: e.target.value })}
            />
          )}
        </span>
        <IconButton size="sm" label={`Remove ${label}`} icon={<Trash2 aria-hidden />} onClick={onRemove} />
      </div>
      {error && (
        <p id={errorId} className="text-label text-bad">
          {error}
        </p>
      )}
    </>
  );
}
