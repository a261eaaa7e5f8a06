import { fieldErrors } from '@/api/errors';
import { Card } from '@/ui/card';
import { Checkbox } from '@/ui/checkbox';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { Select } from '@/ui/select';
import { Textarea } from '@/ui/textarea';
import { generalFields } from './fields';
import { ProcessLimits } from './process-limits';
import { SectionForm } from './section-form';
import { useSection } from './use-section';
import { type Config, type General, generalOf, generalPatch } from './values';

const authTypes = [
  { value: 'bearer', label: 'Bearer tokens', hint: 'Every client sends a token made on the page Connect.' },
  { value: 'none', label: 'No check', hint: 'Everyone who reaches the address may call every tool.' },
] as const;

const levels = ['debug', 'info', 'warn', 'error'].map((value) => ({ value, label: value }));

export function GeneralForm({ config }: { config: Config }) {
  const section = useSection({
    name: 'general',
    config,
    fields: generalFields,
    formOf: generalOf,
    patchOf: (form, stored) => generalPatch(generalOf(stored), form),
  });
  const { form: values, change } = section.editing;
  const set = (part: Partial<General>) => change((old) => ({ ...old, ...part }));
  const errors = fieldErrors(section.error);
  const origins = Object.entries(errors).find(([field]) => field.startsWith('cors_origins'))?.[1];

  return (
    <SectionForm section={section} what="The general section">
      {(foot) => (
        <Card title="General" meta={`version ${config.version}`} flush>
          <div className="grid gap-4 p-4">
            <Field
              label="Server name"
              error={errors.server_name}
              hint="Clients show it when they connect. Needs a deploy."
            >
              {(ids) => (
                <Input {...ids} value={values.server_name} onChange={(e) => set({ server_name: e.target.value })} />
              )}
            </Field>
            <Field
              label="Instructions for the model"
              required={false}
              error={errors.instructions}
              aside={`${values.instructions.length.toLocaleString('en')} / 10,000`}
              hint="What this server is for and how its tools belong together. Needs a deploy."
            >
              {(ids) => (
                <Textarea
                  {...ids}
                  rows={4}
                  value={values.instructions}
                  onChange={(e) => set({ instructions: e.target.value })}
                />
              )}
            </Field>
            <Field label="Who may call" error={errors.auth_type} hint="Works at once, without a deploy.">
              {(ids) => (
                <Select
                  {...ids}
                  value={values.auth_type}
                  onChange={(auth_type) => set({ auth_type })}
                  options={authTypes}
                />
              )}
            </Field>
            {values.auth_type === 'none' && (
              <Notice tone="warn" title="No token is asked for">
                <p>Use this only where nobody else reaches the address.</p>
                <div className="mt-1.5">
                  <Checkbox
                    checked={values.auth_none_confirmed}
                    onChange={(auth_none_confirmed) => set({ auth_none_confirmed })}
                  >
                    Others may reach this server, and I accept that they can call every tool
                  </Checkbox>
                </div>
                {errors.auth_none_confirmed && <p className="mt-1 text-bad">{errors.auth_none_confirmed}</p>}
              </Notice>
            )}
            <Field
              label="Calls per minute and token"
              error={errors.mcp_rate_limit}
              hint="0 means no limit. Works at once."
              className="max-w-60"
            >
              {(ids) => (
                <Input
                  {...ids}
                  inputMode="numeric"
                  value={values.mcp_rate_limit}
                  onChange={(e) => set({ mcp_rate_limit: e.target.value.replace(/\D/g, '') || '0' })}
                />
              )}
            </Field>
            <Field
              label="Browser origins that may call"
              required={false}
              error={origins}
              hint="One a line, for example https://app.example.com. Only browsers need this. Works at once."
            >
              {(ids) => (
                <Textarea
                  {...ids}
                  rows={2}
                  spellCheck={false}
                  className="font-mono"
                  value={values.cors_origins}
                  onChange={(e) => set({ cors_origins: e.target.value })}
                />
              )}
            </Field>
            <ProcessLimits values={values} errors={errors} onChange={set} />
            <Field label="Log level" error={errors.log_level} className="max-w-60">
              {(ids) => (
                <Select
                  {...ids}
                  value={values.log_level}
                  onChange={(log_level) => set({ log_level })}
                  options={levels}
                />
              )}
            </Field>
          </div>
          {foot}
        </Card>
      )}
    </SectionForm>
  );
}
