import { useQuery } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { type FormEvent, useMemo, useRef, useState } from 'react';
import { api, body } from '@/api/client';
import { describe } from '@/api/errors';
import { useApiMutation } from '@/api/mutations';
import { deployStatusQuery, generatedQuery } from '@/api/queries';
import { type InputSchema, type Property, readArguments, readSchema } from '@/lib/arguments';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Field } from '@/ui/field';
import { focusFirstError } from '@/ui/form-errors';
import { Input } from '@/ui/input';
import { JsonCode } from '@/ui/json-code';
import { Notice } from '@/ui/notice';
import { Select } from '@/ui/select';
import { State } from '@/ui/state';

interface LiveTool {
  name: string;
  description: string;
  schema: InputSchema;
}

/** Calls a tool of the running revision on the path that clients take, signed as the admin. */
export function CallCard({ tool: preferred }: { tool?: string }) {
  const status = useQuery(deployStatusQuery);
  const generated = useQuery({ ...generatedQuery, enabled: (status.data?.revision ?? 0) > 0 });
  const tools = useMemo(() => liveTools(generated.data?.manifest), [generated.data]);
  const [chosen, setChosen] = useState(preferred ?? '');
  const tool = tools.find((t) => t.name === chosen) ?? tools[0];
  if (!tool) return null;
  return (
    <Card title="Call it here" meta="the same path as a client's call">
      <div className="grid gap-3">
        {tools.length > 1 && (
          <Field label="Tool">
            {(ids) => (
              <Select
                {...ids}
                mono
                value={tool.name}
                onChange={setChosen}
                options={tools.map((t) => ({ value: t.name, label: t.name }))}
              />
            )}
          </Field>
        )}
        <p className="text-control text-muted">{tool.description}</p>
        <CallForm key={tool.name} tool={tool} />
      </div>
    </Card>
  );
}

function CallForm({ tool }: { tool: LiveTool }) {
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const form = useRef<HTMLFormElement>(null);
  const call = useApiMutation([], (values: Record<string, unknown>) =>
    body(api.POST('/api/v1/playground/call', { body: { tool: tool.name, arguments: values } })),
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const read = readArguments(tool.schema, typed);
    setErrors(read.errors);
    if (Object.keys(read.errors).length > 0) setTimeout(() => focusFirstError(form.current));
    else call.mutate(read.values);
  };
  return (
    <form ref={form} onSubmit={onSubmit} noValidate className="grid gap-3">
      {Object.entries(tool.schema.properties).map(([name, property]) => (
        <Field
          key={name}
          label={name}
          error={errors[name]}
          required={tool.schema.required.includes(name)}
          hint={property.description}
        >
          {(ids) => (
            <Argument
              {...ids}
              property={property}
              required={tool.schema.required.includes(name)}
              value={typed[name] ?? ''}
              onChange={(value) => setTyped({ ...typed, [name]: value })}
            />
          )}
        </Field>
      ))}
      <div>
        <Button type="submit" intent="primary" pending={call.isPending}>
          <Play aria-hidden />
          Call {tool.name}
        </Button>
      </div>
      <div role="status" className="grid gap-2 empty:absolute">
        {call.isError && (
          <Notice tone="bad" title="The call failed">
            {describe(call.error).cause} {describe(call.error).next}
          </Notice>
        )}
        {call.data && <Answer data={call.data} />}
      </div>
    </form>
  );
}

interface ArgumentProps {
  id: string;
  property: Property;
  required: boolean;
  value: string;
  onChange: (value: string) => void;
}

function Argument({ id, property, required, value, onChange, ...aria }: ArgumentProps) {
  const choices = property.enum?.map(String) ?? (property.type === 'boolean' ? ['true', 'false'] : undefined);
  if (choices) {
    const options = [
      { value: '', label: required ? 'Choose one' : 'not sent' },
      ...choices.map((c) => ({ value: c, label: c })),
    ];
    return <Select id={id} {...aria} value={value} onChange={onChange} options={options} />;
  }
  return (
    <Input
      id={id}
      {...aria}
      mono
      type={property.format === 'date' ? 'date' : 'text'}
      inputMode={property.type === 'integer' || property.type === 'number' ? 'decimal' : undefined}
      placeholder={placeholderOf(property, required)}
      value={value}
      onChange={(e) => onChange(e.target.value)}
    />
  );
}

function placeholderOf(property: Property, required: boolean): string | undefined {
  if (property.default !== undefined) return `default ${JSON.stringify(property.default)}`;
  return required ? undefined : 'not sent';
}

interface Played {
  http_status: number;
  response: unknown;
  ms: number;
  rows: number;
}

function Answer({ data }: { data: Played }) {
  const result = isRecord(data.response) && isRecord(data.response.result) ? data.response.result : undefined;
  const failed = data.http_status >= 400 || result === undefined || result.isError === true;
  const shown = result?.structuredContent ?? data.response;
  return (
    <>
      <p className="flex flex-wrap items-center gap-3 text-label text-muted tabular-nums">
        {failed ? <State kind="error">The tool answered with an error</State> : <State kind="live">It works</State>}
        <span>
          {data.rows} rows · {Math.round(data.ms)} ms
        </span>
      </p>
      <div className="overflow-hidden rounded-md border border-line">
        <JsonCode code={JSON.stringify(shown, null, 2)} label="Result of the call" className="max-h-80" />
      </div>
    </>
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The tools of a manifest as their tools/list entries describe them. */
function liveTools(manifest: unknown): LiveTool[] {
  const tools = isRecord(manifest) && Array.isArray(manifest.tools) ? manifest.tools : [];
  return tools.flatMap((tool) => {
    const definition = isRecord(tool) && isRecord(tool.definition) ? tool.definition : undefined;
    if (!definition || typeof definition.name !== 'string') return [];
    return [
      {
        name: definition.name,
        description: typeof definition.description === 'string' ? definition.description : '',
        schema: readSchema(definition.inputSchema),
      },
    ];
  });
}
