import type { components } from '@/api/schema';

export type Config = components['schemas']['ServerConfig'];
export type Patch = components['schemas']['ServerConfigPatch'];

/** The general section as the form holds it: text fields stay text until they are saved. */
export interface General {
  server_name: string;
  instructions: string;
  auth_type: 'bearer' | 'none';
  auth_none_confirmed: boolean;
  cors_origins: string;
  log_level: string;
  mcp_rate_limit: string;
  child_memory_mib: string;
  /** Empty for all. */
  child_cpus: string;
}

export const blankGeneral: General = {
  server_name: '',
  instructions: '',
  auth_type: 'bearer',
  auth_none_confirmed: false,
  cors_origins: '',
  log_level: 'info',
  mcp_rate_limit: '0',
  child_memory_mib: '512',
  child_cpus: '',
};

export function generalOf(config: Config): General {
  return {
    server_name: config.server_name,
    instructions: config.instructions,
    auth_type: config.auth_type === 'none' ? 'none' : 'bearer',
    auth_none_confirmed: config.auth_none_confirmed,
    cors_origins: config.cors_origins.join('\n'),
    log_level: config.log_level,
    mcp_rate_limit: String(config.mcp_rate_limit),
    child_memory_mib: String(config.child_memory_mib),
    child_cpus: config.child_cpus === 0 ? '' : String(config.child_cpus),
  };
}

/** What differs, as the server wants it. An empty patch means that nothing changed. */
export function generalPatch(from: General, to: General): Omit<Patch, 'version'> {
  const patch: Omit<Patch, 'version'> = {};
  if (to.server_name !== from.server_name) patch.server_name = to.server_name;
  if (to.instructions !== from.instructions) patch.instructions = to.instructions;
  if (to.auth_type !== from.auth_type) patch.auth_type = to.auth_type;
  if (to.auth_none_confirmed !== from.auth_none_confirmed) patch.auth_none_confirmed = to.auth_none_confirmed;
  if (to.cors_origins !== from.cors_origins) patch.cors_origins = lines(to.cors_origins);
  if (to.log_level !== from.log_level) patch.log_level = to.log_level;
  if (to.mcp_rate_limit !== from.mcp_rate_limit) patch.mcp_rate_limit = Number(to.mcp_rate_limit);
  if (to.child_memory_mib !== from.child_memory_mib) patch.child_memory_mib = Number(to.child_memory_mib);
  if (to.child_cpus !== from.child_cpus) patch.child_cpus = Number(to.child_cpus);
  return patch;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

export type VariableType = 'string' | 'number' | 'boolean';

/** One row of the variables table. The key stays while the name is typed. */
export interface Variable {
  key: number;
  name: string;
  type: VariableType;
  value: string;
}

export function variablesOf(config: Config): Variable[] {
  return Object.entries(config.global_variables)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value], key) => ({ key, name, type: typeOf(value), value: String(value) }));
}

function typeOf(value: unknown): VariableType {
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'number' ? 'number' : 'string';
}

const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const name = /^[a-zA-Z_]\w{0,63}$/;

/** What is wrong, by the row's key. The server judges again; this only spares a round trip. */
export function variableErrors(rows: readonly Variable[]): Record<number, string> {
  const errors: Record<number, string> = {};
  const seen = new Set<string>();
  for (const row of rows) {
    if (!name.test(row.name)) errors[row.key] = 'A name is letters, digits or _ and does not start with a digit.';
    else if (seen.has(row.name)) errors[row.key] = `${row.name} is there twice.`;
    else if (row.type === 'number' && !number.test(row.value)) errors[row.key] = 'Write a plain number.';
    seen.add(row.name);
  }
  return errors;
}

/** The rows as the server wants them. Call it only without errors. */
export function variablesValue(rows: readonly Variable[]): Record<string, string | number | boolean> {
  return Object.fromEntries(rows.map((row) => [row.name, plainValue(row)]));
}

function plainValue(row: Variable): string | number | boolean {
  if (row.type === 'boolean') return row.value === 'true';
  return row.type === 'number' ? Number(row.value) : row.value;
}

/** Whether two sets of rows mean the same; the order does not count. */
export function sameVariables(a: readonly Variable[], b: readonly Variable[]): boolean {
  const plain = (rows: readonly Variable[]) =>
    JSON.stringify(
      rows.map((row) => [row.name, row.type, row.value]).sort((x, y) => String(x[0]).localeCompare(String(y[0]))),
    );
  return plain(a) === plain(b);
}
