import type { components } from '@/api/schema';
import { equal } from '@/editing/equal';
import { sameShape } from '@/editing/fields';
import { isKind, isKindOption, type Kind, kinds, secretOptions } from './kinds';

export type Connection = components['schemas']['Connection'];
export type Draft = components['schemas']['ConnectionDraft'];
export type Patch = components['schemas']['ConnectionPatch'];
export type TlsMode = Connection['ssl_mode'];

const optionTypes = ['text', 'number', 'boolean', 'json'] as const;
export type OptionType = (typeof optionTypes)[number];

/** One entry of extra_params that is no secret. */
export interface Option {
  name: string;
  type: OptionType;
  value: string;
}

/** A connection as the form holds it, without any secret: numbers stay text until they are sent. */
export interface Values {
  name: string;
  db_type: Kind;
  host: string;
  port: string;
  database: string;
  username: string;
  ssl_mode: TlsMode;
  ssl_root_cert: string;
  pool_min_size: string;
  pool_max_size: string;
  max_concurrent_queries: string;
  queue_enabled: boolean;
  queue_timeout_seconds: string;
  statement_timeout_seconds: string;
  max_rows: string;
  /** In KiB: 1 MiB is "1024". */
  max_result_kib: string;
  read_only: boolean;
  is_active: boolean;
  tags: string;
  options: readonly Option[];
}

/**
 * What was typed into secret fields, by "password" or the name of an option. No entry: leave the stored one as it is.
 * Text: a new one. Null: remove it. Kept apart from Values, because drafts hold those.
 */
export type Secrets = Readonly<Record<string, string | null>>;

/** What the server stands for where a secret is stored. */
const mask = '••••••';

/** The server's defaults, shown so that nothing is hidden behind an empty field. */
export const fresh: Values = {
  name: '',
  db_type: 'postgresql',
  host: '',
  port: '5432',
  database: '',
  username: '',
  ssl_mode: 'prefer',
  ssl_root_cert: '',
  pool_min_size: '0',
  pool_max_size: '5',
  max_concurrent_queries: '5',
  queue_enabled: true,
  queue_timeout_seconds: '30',
  statement_timeout_seconds: '30',
  max_rows: '1000',
  max_result_kib: '1024',
  read_only: true,
  is_active: true,
  tags: '',
  options: [],
};

export function valuesOf(c: Connection): Values {
  return {
    name: c.name,
    db_type: c.db_type,
    host: c.host,
    port: c.port === 0 ? '' : String(c.port),
    database: c.database,
    username: c.username,
    ssl_mode: c.ssl_mode,
    ssl_root_cert: c.ssl_root_cert,
    pool_min_size: String(c.pool_min_size),
    pool_max_size: String(c.pool_max_size),
    max_concurrent_queries: String(c.max_concurrent_queries),
    queue_enabled: c.queue_enabled,
    queue_timeout_seconds: String(c.queue_timeout_seconds),
    statement_timeout_seconds: String(c.statement_timeout_seconds),
    max_rows: String(c.max_rows),
    max_result_kib: String(c.max_result_bytes / 1024),
    read_only: c.read_only,
    is_active: c.is_active,
    tags: c.tags.join(', '),
    options: optionsOf(c),
  };
}

function optionsOf(c: Connection): Option[] {
  const secret = secretOptions(c.db_type);
  return Object.entries(c.extra_params)
    .filter(([name]) => !secret.includes(name))
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => {
      const type = typeOf(value);
      return { name, type, value: type === 'json' ? JSON.stringify(value) : String(value) };
    });
}

function typeOf(value: unknown): OptionType {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'json';
}

/** Which secrets are stored: "password" and names of options. */
export function storedSecrets(c: Connection): string[] {
  const options = secretOptions(c.db_type).filter((name) => c.extra_params[name] === mask);
  return c.password === null ? options : ['password', ...options];
}

/** What a new kind changes: its port, unless somebody chose another. Everything typed stays for the way back. */
export function withKind(values: Values, kind: Kind): Values {
  const usual = String(kinds[values.db_type].port || '');
  const port = values.port === '' || values.port === usual ? String(kinds[kind].port || '') : values.port;
  return { ...values, db_type: kind, port };
}

/** The values a kind uses; fields it does not have are empty. */
export function relevant(values: Values): Values {
  const facts = kinds[values.db_type];
  return {
    ...values,
    name: values.name.trim(),
    host: facts.host ? values.host.trim() : '',
    port: facts.host ? values.port.trim() : '',
    ssl_mode: facts.host ? values.ssl_mode : fresh.ssl_mode,
    ssl_root_cert: facts.host ? values.ssl_root_cert.trim() : '',
    database: facts.database ? values.database.trim() : '',
    username: facts.user ? values.username.trim() : '',
    tags: tagsOf(values.tags).join(', '),
    options: values.options.filter((o) => o.name !== '' && (o.value !== '' || !isKindOption(values.db_type, o.name))),
  };
}

function tagsOf(text: string): string[] {
  const all = text.split(',').map((tag) => tag.trim());
  return [...new Set(all.filter(Boolean))];
}

/** Deep comparison in the terms of what would be stored: the dirty rule of every form. */
export function sameValues(a: Values, b: Values): boolean {
  return Object.keys(changed(relevant(a), relevant(b))).length === 0;
}

type Changed = Partial<Record<keyof Values, true>>;

function changed(from: Values, to: Values): Changed {
  const out: Changed = {};
  // Both have exactly the members of Values.
  for (const field of Object.keys(to) as (keyof Values)[]) {
    const same = field === 'options' ? sameOptions(from.options, to.options) : from[field] === to[field];
    if (!same) out[field] = true;
  }
  return out;
}

const sameOptions = (a: readonly Option[], b: readonly Option[]): boolean => equal(sortedOptions(a), sortedOptions(b));

/** The order of options means nothing. */
export function sortedOptions(options: readonly Option[]): Option[] {
  return [...options].sort((a, b) => a.name.localeCompare(b.name));
}

const endpointFields = ['db_type', 'host', 'port', 'username', 'ssl_mode', 'ssl_root_cert', 'options'] as const;
const endpointWords: Record<(typeof endpointFields)[number], string> = {
  db_type: 'kind',
  host: 'host',
  port: 'port',
  username: 'user',
  ssl_mode: 'TLS mode',
  ssl_root_cert: 'certificates',
  options: 'options',
};

/**
 * What changed of where a connection points and how it is protected on the way, in words. When anything did, the
 * server takes no stored secret along: a typed host must never receive the old host's password.
 */
export function endpointChanges(saved: Values, now: Values): string[] {
  const from = relevant(saved);
  const to = relevant(now);
  const differs = changed({ ...from, host: from.host.toLowerCase() }, { ...to, host: to.host.toLowerCase() });
  return endpointFields.filter((field) => differs[field]).map((field) => endpointWords[field]);
}

/** Whether a test of one says something about the other: they lead to the same database in the same way. */
export function sameTarget(a: Values, b: Values): boolean {
  return endpointChanges(a, b).length === 0 && relevant(a).database === relevant(b).database;
}

/** The stored secrets that have to be typed again, or removed, before this can be saved or tested. */
export function askedAgain(saved: Connection, values: Values, secrets: Secrets): string[] {
  if (endpointChanges(valuesOf(saved), values).length === 0) return [];
  return storedSecrets(saved).filter((name) => !secrets[name] && secrets[name] !== null && uses(values.db_type, name));
}

function uses(kind: Kind, secret: string): boolean {
  return secret === 'password' ? kinds[kind].user : secretOptions(kind).includes(secret);
}

/** What the form can tell without the server: what cannot even be sent. Keys are the server's field names. */
export function unsendable(values: Values): Record<string, string> {
  const errors: Record<string, string> = {};
  const whole = 'Write a whole number.';
  const numbers = ['pool_min_size', 'pool_max_size', 'max_concurrent_queries', 'queue_timeout_seconds'] as const;
  for (const field of [...numbers, 'statement_timeout_seconds', 'max_rows'] as const) {
    if (!/^\d{1,9}$/.test(values[field].trim())) errors[field] = whole;
  }
  const bytes = Number(values.max_result_kib) * 1024;
  if (!/^\d/.test(values.max_result_kib.trim()) || !Number.isInteger(bytes)) errors.max_result_bytes = whole;
  if (kinds[values.db_type].host && !/^\d{1,9}$/.test(values.port.trim())) errors.port = whole;
  for (const [name, message] of optionErrors(values)) errors[`extra_params.${name}`] = message;
  return errors;
}

function optionErrors(values: Values): [name: string, message: string][] {
  const seen = new Set<string>();
  return values.options.flatMap((option): [string, string][] => {
    const twice = seen.has(option.name);
    seen.add(option.name);
    if (twice) return [[option.name, `${option.name} is there twice.`]];
    if (option.name === '' && option.value !== '') return [['', 'Name the option.']];
    if (option.name !== '' && optionValue(option) === undefined) {
      return [[option.name, option.type === 'number' ? 'Write a plain number.' : 'This is not valid JSON.']];
    }
    return [];
  });
}

/** Undefined when the text is not of its type. */
function optionValue({ type, value }: Option): unknown {
  switch (type) {
    case 'text':
      return value;
    case 'boolean':
      return value === 'true';
    case 'number':
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value.trim()) ? Number(value) : undefined;
    default:
      try {
        return JSON.parse(value);
      } catch {
        return undefined;
      }
  }
}

function extraParams(values: Values, secrets: Secrets): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const option of values.options) out[option.name] = optionValue(option);
  // A secret option that is not in the object stays as it is stored.
  for (const name of secretOptions(values.db_type)) {
    const typed = secrets[name];
    if (typed || typed === null) out[name] = typed;
  }
  return out;
}

/** All values as the server wants them. Call it only when nothing is unsendable. */
function wire(values: Values): Omit<Required<Draft>, 'password' | 'extra_params'> {
  return {
    name: values.name,
    db_type: values.db_type,
    host: values.host,
    port: Number(values.port),
    database: values.database,
    username: values.username,
    ssl_mode: values.ssl_mode,
    ssl_root_cert: values.ssl_root_cert,
    pool_min_size: Number(values.pool_min_size),
    pool_max_size: Number(values.pool_max_size),
    max_concurrent_queries: Number(values.max_concurrent_queries),
    queue_enabled: values.queue_enabled,
    queue_timeout_seconds: Number(values.queue_timeout_seconds),
    statement_timeout_seconds: Number(values.statement_timeout_seconds),
    max_rows: Number(values.max_rows),
    max_result_bytes: Number(values.max_result_kib) * 1024,
    read_only: values.read_only,
    is_active: values.is_active,
    tags: tagsOf(values.tags),
  };
}

/** A whole connection, for creating and for testing what is not saved. */
export function draftOf(typed: Values, secrets: Secrets): Draft {
  const values = relevant(typed);
  const draft: Draft = { ...wire(values), extra_params: extraParams(values, secrets) };
  const { password } = secrets;
  if (kinds[values.db_type].user && (password || password === null)) draft.password = password;
  return draft;
}

/** Only what differs from what is saved. No member besides the version: nothing changed. */
export function patchOf(saved: Connection, typed: Values, secrets: Secrets): Patch {
  const from = valuesOf(saved);
  const to = relevant(typed);
  // An unchanged kind keeps leftovers of fields it does not use; a new kind starts clean.
  const base = saved.db_type === to.db_type ? relevant(from) : from;
  const all = wire(to);
  const differs = changed(base, to);
  const patch: Patch = { version: saved.version };
  for (const field of Object.keys(differs) as (keyof Values)[]) {
    if (field === 'options') continue;
    Object.assign(
      patch,
      field === 'max_result_kib' ? { max_result_bytes: all.max_result_bytes } : { [field]: all[field] },
    );
  }
  const newSecret = secretOptions(to.db_type).some((name) => secrets[name] || secrets[name] === null);
  if (differs.options || newSecret) patch.extra_params = extraParams(to, secrets);
  const password = kinds[to.db_type].user
    ? secrets.password
    : differs.db_type && saved.password !== null
      ? null
      : undefined;
  if (password || password === null) patch.password = password;
  return patch;
}

/** Whether a secret was typed, or its removal chosen. */
export const anyTyped = (secrets: Secrets): boolean => Object.values(secrets).some((typed) => typed !== '');

/** Reads a kept draft; undefined when another version of the page kept something else. */
export function parseValues(kept: unknown): Values | undefined {
  return sameShape(kept, fresh) && isKind(kept.db_type) && isOptions(kept.options) ? kept : undefined;
}

export function isOptions(value: unknown): value is Option[] {
  return (
    Array.isArray(value) &&
    value.every(
      (o: Record<string, unknown> | null) =>
        typeof o?.name === 'string' && typeof o.value === 'string' && optionTypes.some((type) => type === o.type),
    )
  );
}
