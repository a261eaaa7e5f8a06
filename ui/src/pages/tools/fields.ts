import { equal } from './equal';
import { type ParameterForm, type ToolForm, tagsOf } from './form';

/** A tool as one flat list of fields that can be compared, shown and merged one by one. */
export type FlatTool = ReadonlyMap<string, unknown>;

const plain = [
  'name',
  'title',
  'description',
  'connection_id',
  'sql_query',
  'transform',
  'cache_ttl',
  'is_enabled',
  'content',
  'input_schema',
  'output_schema',
] as const;
export const hints = ['read_only', 'idempotent', 'destructive', 'open_world'] as const;
export const parameterKey = 'parameters.';

export function flatten(form: ToolForm): FlatTool {
  const flat = new Map<string, unknown>(plain.map((key) => [key, form[key]]));
  flat.set('tags', tagsOf(form.tags));
  for (const key of hints) flat.set(`annotations.${key}`, form.annotations[key]);
  for (const p of form.parameters) flat.set(`${parameterKey}${p.name}`, p);
  return flat;
}

const labels: Readonly<Record<string, string>> = {
  name: 'Name',
  title: 'Title',
  description: 'Description',
  connection_id: 'Connection',
  sql_query: 'SQL',
  transform: 'Transform',
  cache_ttl: 'Cache',
  is_enabled: 'Enabled',
  content: 'Content blocks',
  input_schema: 'Input schema',
  output_schema: 'Output schema',
  tags: 'Tags',
  'annotations.read_only': 'Only reads data',
  'annotations.idempotent': 'Same input gives the same answer',
  'annotations.destructive': 'May destroy data',
  'annotations.open_world': 'Reaches beyond this database',
};

/** The words for a field; also for the server's field names, which go deeper. */
export function labelOf(key: string): string {
  if (key.startsWith(parameterKey)) return `Parameter ${key.slice(parameterKey.length)}`;
  return labels[key] ?? key;
}

export interface FieldChange {
  key: string;
  label: string;
  before: unknown;
  after: unknown;
}

/** What differs, in the order of the form. A field that only one side has is undefined on the other. */
export function changesBetween(before: FlatTool, after: FlatTool): FieldChange[] {
  return [...new Set([...after.keys(), ...before.keys()])]
    .filter((key) => !equal(before.get(key), after.get(key)))
    .map((key) => ({ key, label: labelOf(key), before: before.get(key), after: after.get(key) }));
}

/** A value as lines of text. `name` turns ids into names. */
export function textOfField(key: string, value: unknown, name: (id: string) => string): string {
  if (value === undefined || value === null) return '';
  if (key === 'connection_id') return name(String(value));
  if (key === 'cache_ttl') return value === '0' ? 'no cache' : `${String(value)} s`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (key === 'tags' && Array.isArray(value)) return value.join(', ');
  if (typeof value === 'string') return value;
  if (isParameter(value)) return linesOfParameter(value);
  return JSON.stringify(value, null, 2);
}

function isParameter(value: unknown): value is ParameterForm {
  return typeof value === 'object' && value !== null && 'param_type' in value;
}

function linesOfParameter(p: ParameterForm): string {
  const type = p.param_type === 'array' ? `array of ${p.item_type}` : p.param_type;
  const lines = [`type: ${type}`, `required: ${p.is_required ? 'yes' : 'no'}`];
  const add = (label: string, text: string) => {
    if (text.trim() !== '') lines.push(`${label}: ${text}`);
  };
  add('default', p.default_value);
  add('allowed values', p.enum_values);
  add('minimum', p.minimum);
  add('maximum', p.maximum);
  add('pattern', p.pattern);
  add('description', p.description);
  return lines.join('\n');
}
