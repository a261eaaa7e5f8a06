import { Link2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { fieldId, type SectionProps, textField } from './form-parts';
import { type KindOption, kinds } from './kinds';
import { SecretField } from './secret-field';
import { UrlDialog } from './url-dialog';
import { endpointChanges, type Option, storedSecrets, valuesOf } from './values';

// The list one types into is large, and only one of the ten kinds needs it.
const SqliteFile = lazy(() => import('./sqlite-file').then((m) => ({ default: m.SqliteFile })));

export function Basics({ form }: SectionProps) {
  const [pasting, setPasting] = useState(false);
  const { values, saved, secrets } = form;
  const facts = kinds[values.db_type];
  const name = textField({ form }, 'name');
  const tags = textField({ form }, 'tags');
  const changed = saved ? endpointChanges(valuesOf(saved), values) : [];
  const stored = saved ? storedSecrets(saved) : [];
  // Database, user and password share a row until the password is a row of its own.
  const third = stored.includes('password') || !facts.database ? 'sm:col-span-3' : 'sm:col-span-2';
  return (
    <Card
      title="Basics"
      actions={
        <Button size="sm" intent="ghost" className="-mr-2.5" onClick={() => setPasting(true)}>
          <Link2 aria-hidden />
          Paste a connection URL
        </Button>
      }
    >
      <div className="grid gap-x-4 gap-y-3 sm:grid-cols-6">
        <Field label="Name" required className="sm:col-span-6" {...name.field}>
          {(ids) => <Input {...ids} {...name.input} autoComplete="off" />}
        </Field>
        {facts.host && <HostFields form={form} />}
        {values.db_type === 'sqlite' && (
          <Suspense fallback={<Skeleton className="h-[70px] sm:col-span-6" />}>
            <SqliteFile form={form} />
          </Suspense>
        )}
        {facts.options
          .filter((o) => !o.secret)
          .map((option) => (
            <OptionField key={option.name} form={form} option={option} />
          ))}
        {facts.database && values.db_type !== 'sqlite' && (
          <PlainField form={form} field="database" label={facts.database} className={third} />
        )}
        {facts.user && (
          <>
            <PlainField form={form} field="username" label="User" className={third} />
            <SecretField
              id={fieldId('password')}
              label="Password"
              error={form.errors.password}
              stored={stored.includes('password')}
              changed={changed}
              value={secrets.password}
              onChange={(value) => form.changeSecret('password', value)}
              className={stored.includes('password') ? 'sm:col-span-6' : third}
            />
          </>
        )}
        {facts.options
          .filter((o) => o.secret)
          .map((option) => (
            <SecretField
              key={option.name}
              id={fieldId(`extra_params.${option.name}`)}
              label={option.label}
              hint={option.hint}
              multiline
              error={form.errors[`extra_params.${option.name}`]}
              stored={stored.includes(option.name)}
              changed={changed}
              value={secrets[option.name]}
              onChange={(value) => form.changeSecret(option.name, value)}
              className="sm:col-span-6"
            />
          ))}
        <Field label="Tags" required={false} hint="Separated by commas." className="sm:col-span-6" {...tags.field}>
          {(ids) => <Input {...ids} {...tags.input} autoComplete="off" />}
        </Field>
      </div>
      {pasting && (
        <UrlDialog
          values={values}
          onClose={() => setPasting(false)}
          onApply={(next, password) => form.replace(next, password === undefined ? {} : { password })}
        />
      )}
    </Card>
  );
}

function HostFields({ form }: SectionProps) {
  const host = textField({ form }, 'host');
  const port = textField({ form }, 'port');
  return (
    <>
      <Field label="Host" required className="sm:col-span-4" {...host.field}>
        {(ids) => (
          <Input
            {...ids}
            {...host.input}
            mono
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            placeholder="db.example.org"
          />
        )}
      </Field>
      <Field label="Port" required className="sm:col-span-2" {...port.field}>
        {(ids) => <Input {...ids} {...port.input} mono inputMode="numeric" autoComplete="off" />}
      </Field>
    </>
  );
}

interface PlainProps extends SectionProps {
  field: 'database' | 'username';
  label: string;
  className: string;
}

function PlainField({ form, field, label, className }: PlainProps) {
  const props = textField({ form }, field);
  return (
    <Field label={label} className={className} {...props.field}>
      {(ids) => <Input {...ids} {...props.input} mono autoComplete="off" autoCapitalize="none" spellCheck={false} />}
    </Field>
  );
}

function OptionField({ form, option }: SectionProps & { option: KindOption }) {
  const { options } = form.values;
  const wire = `extra_params.${option.name}`;
  const set = (value: string) => {
    const others = options.filter((o) => o.name !== option.name);
    const entry: Option = { name: option.name, type: 'text', value };
    form.change({ options: [...others, entry] });
  };
  return (
    <Field
      id={fieldId(wire)}
      label={option.label}
      hint={option.hint}
      error={form.errors[wire]}
      className="sm:col-span-3"
    >
      {(ids) => (
        <Input
          {...ids}
          mono
          autoComplete="off"
          spellCheck={false}
          value={options.find((o) => o.name === option.name)?.value ?? ''}
          onChange={(e) => set(e.target.value)}
        />
      )}
    </Field>
  );
}
