import { type FieldTable, plainFields, sameShape } from '@/editing/fields';
import { blankGeneral, type General, sameVariables, type Variable } from './values';

export const generalFields: FieldTable<General> = plainFields(blankGeneral, {
  server_name: 'Server name',
  instructions: 'Instructions for the model',
  auth_type: 'Who may call',
  auth_none_confirmed: 'Calls without a token accepted',
  mcp_rate_limit: 'Calls per minute and token',
  cors_origins: 'Browser origins that may call',
  child_memory_mib: 'Memory of the server process, MiB',
  child_cpus: 'Processors of the server process',
  log_level: 'Log level',
});

const blankVariable: Variable = { key: 0, name: '', type: 'string', value: '' };
const typeWords = { string: 'text', number: 'number', boolean: 'yes or no' } as const;

/** Each variable is a field, by its name. */
export const variablesFields: FieldTable<readonly Variable[]> = {
  flatten: (rows) => new Map(rows.map(({ name, type, value }) => [name, { type, value }])),
  label: (name) => name || 'A variable without a name',
  text: (_, row) => (isTyped(row) ? `${row.value} (${typeWords[row.type]})` : ''),
  combine: (mine, theirs, isTheirs) => {
    const names = new Set([...mine, ...theirs].map((row) => row.name));
    const rows = [...names].flatMap((name) => (isTheirs(name) ? theirs : mine).filter((row) => row.name === name));
    return rows.map((row, key) => ({ ...row, key }));
  },
  same: sameVariables,
  parse: (kept) => (Array.isArray(kept) && kept.every((row) => isRow(row)) ? kept : undefined),
};

const isRow = (value: unknown): value is Variable => sameShape(value, blankVariable) && value.type in typeWords;

function isTyped(value: unknown): value is Pick<Variable, 'type' | 'value'> {
  return sameShape(value, { type: '', value: '' }) && value.type in typeWords;
}
