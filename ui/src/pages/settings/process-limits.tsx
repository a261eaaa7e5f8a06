import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import type { General } from './values';

interface Props {
  values: General;
  errors: Readonly<Record<string, string>>;
  onChange: (part: Partial<General>) => void;
}

const digits = (text: string) => text.replace(/\D/g, '');

/** What the process that runs queries and transforms may use. */
export function ProcessLimits({ values, errors, onChange }: Props) {
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label="Memory of the server process, MiB"
        error={errors.child_memory_mib}
        hint="64 to 16,384. A process that takes more is ended and started again. Needs a deploy."
      >
        {(ids) => (
          <Input
            {...ids}
            inputMode="numeric"
            value={values.child_memory_mib}
            onChange={(e) => onChange({ child_memory_mib: digits(e.target.value) })}
          />
        )}
      </Field>
      <Field
        label="Processors of the server process"
        required={false}
        error={errors.child_cpus}
        hint="Whole processors; empty means all of this machine. Needs a deploy."
      >
        {(ids) => (
          <Input
            {...ids}
            inputMode="numeric"
            placeholder="all"
            value={values.child_cpus}
            onChange={(e) => onChange({ child_cpus: digits(e.target.value) })}
          />
        )}
      </Field>
    </div>
  );
}
