import { equal } from '@/editing/equal';
import { sentence } from '@/lib/format';
import type { Definition, ToolDraft } from './api';
import { flatten, labelOf } from './fields';
import type { ToolForm } from './form';

/** Messages by field: `name`, `sql_query`, `parameters.limit.default_value`. Parameters go by name, not by number. */
export type FieldMessages = Readonly<Record<string, string>>;

/** The server counts parameters; the form knows them by name, because their order changes while one types. */
export function byName(fields: FieldMessages, parameters: readonly { name: string }[]): FieldMessages {
  return Object.fromEntries(
    Object.entries(fields).map(([key, message]) => {
      const [, number, rest] = /^parameters\.(\d+)(?:\.(.*))?$/.exec(key) ?? [];
      const name = number === undefined ? undefined : parameters[Number(number)]?.name;
      // enum_values.3 is shown at its field.
      const field = rest?.replace(/\.\d+$/, '');
      return [name === undefined ? key : `parameters.${name}${field ? `.${field}` : ''}`, message];
    }),
  );
}

/** The messages whose field is still as it was when they were written. */
export function stillTrue(fields: FieldMessages, then: ToolForm, now: ToolForm): FieldMessages {
  const [before, after] = [flatten(then), flatten(now)];
  const unchanged = (field: string) => {
    const key = /^parameters\.[^.]+/.exec(field)?.[0] ?? field;
    if (key === 'annotations') return equal(then.annotations, now.annotations);
    if (key === 'parameters') return then.sql_query === now.sql_query;
    return equal(before.get(key), after.get(key));
  };
  return Object.fromEntries(Object.entries(fields).filter(([field]) => unchanged(field)));
}

/** These are shown where they stand in the text, by the editors. */
const inEditors = ['sql_query', 'transform', 'parameters'];

/**
 * What the server's rules say about the fields as they are. Nobody is told that a field is empty before
 * trying to save.
 */
export function liveErrors(definition: Definition | undefined, draft: ToolDraft, tried: boolean): FieldMessages {
  const found: Record<string, string> = {};
  const empty = (field: string) =>
    (field === 'name' && draft.name === '') ||
    (field === 'description' && draft.description === '') ||
    (field === 'connection_id' && draft.connection_id === '');
  for (const p of definition?.problems ?? []) {
    if (p.severity !== 'error' || inEditors.includes(p.field) || (!tried && empty(p.field))) continue;
    found[p.field] ??= sentence(p.message);
  }
  return byName(found, draft.parameters ?? []);
}

const parameterFields: Readonly<Record<string, string>> = {
  name: 'name',
  param_type: 'type',
  item_type: 'items',
  description: 'description',
  default_value: 'default',
  enum_values: 'allowed values',
  minimum: 'minimum',
  maximum: 'maximum',
  pattern: 'pattern',
};

/** The words for a field of a message. */
export function fieldLabel(field: string): string {
  const [, name, part] = /^parameters\.([^.]+)\.(.+)$/.exec(field) ?? [];
  if (name !== undefined && part !== undefined) return `${name}, ${parameterFields[part] ?? part}`;
  if (field === 'annotations') return 'What it does';
  if (field === 'parameters') return 'Parameters';
  return labelOf(field);
}

/** The id of the control of a field. Names of parameters are letters, digits and _. */
export function fieldId(field: string): string {
  return `tool-${field.replaceAll('.', '-')}`;
}

const formOrder = [
  'connection_id',
  'sql_query',
  'transform',
  'parameters',
  'name',
  'title',
  'description',
  'annotations',
];

/** The messages as the form asks for the fields, so that the first one is the first to be met. */
export function inFormOrder(fields: FieldMessages): [field: string, message: string][] {
  const rank = (field: string) => {
    const at = formOrder.indexOf(field.split('.')[0] ?? '');
    return at < 0 ? formOrder.length : at;
  };
  return Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b));
}
