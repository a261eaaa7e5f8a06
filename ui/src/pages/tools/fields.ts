import { type FieldTable, type Flat, plainText, sameShape } from '@/editing/fields';
import { blankForm, blankParameter, type ParameterForm, sameTool, type ToolForm, tagsOf } from './form';

/** The fields of a tool. `connectionName` gives the name of a connection by its id. */
export const toolFields = (connectionName: (id: string) => string): FieldTable<ToolForm> => ({
  flatten,
  label: labelOf,
  text: (key, value) => textOfField(key, value, connectionName),
  combine,
  same: sameTool,
  parse: parseForm,
});

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
const hints = ['read_only', 'idempotent', 'destructive', 'open_world'] as const;
const parameterKey = 'parameters.';

export function flatten(form: ToolForm): Flat {
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

/** `name` turns ids into names. */
function textOfField(key: string, value: unknown, name: (id: string) => string): string {
  if (value === undefined || value === null) return '';
  if (key === 'connection_id') return name(String(value));
  if (key === 'cache_ttl') return value === '0' ? 'no cache' : `${String(value)} s`;
  if (key === 'tags' && Array.isArray(value)) return value.join(', ');
  return isParameter(value) ? linesOfParameter(value) : plainText(key, value);
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

function combine(mine: ToolForm, theirs: ToolForm, isTheirs: (key: string) => boolean): ToolForm {
  const side = (key: string) => (isTheirs(key) ? theirs : mine);
  const pick = <K extends keyof ToolForm>(key: K): ToolForm[K] => side(key)[key];
  const annotations = { ...mine.annotations };
  for (const hint of hints) annotations[hint] = side(`annotations.${hint}`).annotations[hint];
  const names = new Set([...mine.parameters, ...theirs.parameters].map((p) => p.name));
  const parameters = [...names].flatMap(
    (name) => side(`${parameterKey}${name}`).parameters.find((p) => p.name === name) ?? [],
  );
  return {
    connection_id: pick('connection_id'),
    name: pick('name'),
    title: pick('title'),
    description: pick('description'),
    sql_query: pick('sql_query'),
    parameters,
    transform: pick('transform'),
    tags: pick('tags'),
    annotations,
    cache_ttl: pick('cache_ttl'),
    is_enabled: pick('is_enabled'),
    content: pick('content'),
    input_schema: pick('input_schema'),
    output_schema: pick('output_schema'),
  };
}

function parseForm(kept: unknown): ToolForm | undefined {
  const blank = blankForm();
  if (!sameShape(kept, blank) || !sameShape(kept.annotations, blank.annotations)) return undefined;
  return kept.parameters.every((p) => sameShape(p, blankParameter(''))) ? kept : undefined;
}
