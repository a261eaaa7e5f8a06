import { type Kind, kinds } from './kinds';
import { fresh, type Option, type TlsMode, type Values } from './values';

export interface Parsed {
  values: Partial<Values>;
  /** Undefined when the URL has none. */
  password?: string;
  /** Parts that were not taken over, for the person to know. */
  left: string[];
}

const schemes: Readonly<Record<string, Kind>> = {
  postgres: 'postgresql',
  postgresql: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  mssql: 'mssql',
  sqlserver: 'mssql',
  clickhouse: 'clickhouse',
  ch: 'clickhouse',
  sqlite: 'sqlite',
  sqlite3: 'sqlite',
  file: 'sqlite',
  greenplum: 'greenplum',
  cassandra: 'cassandra',
  scylla: 'cassandra',
  snowflake: 'snowflake',
  bigquery: 'bigquery',
};

/** Kinds that are reached with a PostgreSQL URL; one that was already chosen stays. */
const postgresLike: readonly Kind[] = ['postgresql', 'greenplum', 'supabase'];

/**
 * Reads a connection URL as the drivers of the usual languages write it: `jdbc:` before it and `+driver` in the
 * scheme are ignored. Undefined when it is none. `chosen` is the kind of the form.
 */
export function parseUrl(text: string, chosen: Kind): Parsed | undefined {
  const trimmed = text
    .trim()
    .replace(/^['"]|['"]$/g, '')
    .replace(/^jdbc:/i, '');
  const match = /^([a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?:(.*)$/is.exec(trimmed);
  const kind = schemes[match?.[1]?.toLowerCase() ?? ''];
  const rest = match?.[2] ?? '';
  if (!kind || rest === '') return undefined;
  if (kind === 'sqlite') return sqlite(rest);
  if (!rest.startsWith('//')) return undefined;
  const parts = split(rest.slice(2), kind);
  if (kind === 'snowflake') return snowflake(parts);
  if (kind === 'bigquery') return bigquery(parts);
  return server(kind, chosen, parts);
}

interface Parts {
  username: string;
  password?: string;
  hosts: string;
  path: string;
  query: [name: string, value: string][];
}

function split(rest: string, kind: Kind): Parts {
  // SQL Server's JDBC driver separates with semicolons: //host:port;databaseName=shop;user=me
  const [usual, properties = ''] = kind === 'mssql' ? cut(rest, ';') : [rest];

  // The last @ before the query ends the user: people paste passwords with @, /, ? and # in them as they are.
  const question = usual.search(/\?[\w.-]+=/);
  const address = question < 0 ? usual : usual.slice(0, question);
  const search = question < 0 ? '' : usual.slice(question + 1).replace(/#.*$/, '');
  const at = address.lastIndexOf('@');
  const [user = '', secret] = cut(at < 0 ? '' : address.slice(0, at), ':');
  const [hosts = '', path = ''] = cut(address.slice(at + 1).replace(/[?#].*$/, ''), '/');
  return {
    username: decode(user),
    password: secret ? decode(secret) : undefined,
    hosts,
    path: decode(path.replace(/\/$/, '')),
    query: [...pairs(search, '&'), ...pairs(properties, ';')],
  };
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function pairs(text: string, separator: string): [string, string][] {
  return text
    .split(separator)
    .filter(Boolean)
    .map((pair) => {
      const [name, value = ''] = cut(pair, '=');
      return [decode(name).toLowerCase(), decode(value)];
    });
}

/** A text with a stray % was never encoded and is meant as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** "[::1]:5432" → ["::1", "5432"]. */
function hostPort(text: string): [host: string, port: string] {
  const bracket = /^\[([^\]]*)\](?::(\d*))?$/.exec(text);
  if (bracket) return [bracket[1] ?? '', bracket[2] ?? ''];
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.indexOf(':') !== colon) return [decode(text), ''];
  return [decode(text.slice(0, colon)), text.slice(colon + 1)];
}

const tlsModes: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  disabled: 'disable',
  false: 'disable',
  allow: 'allow',
  prefer: 'prefer',
  preferred: 'prefer',
  require: 'require',
  required: 'require',
  true: 'require',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-full': 'verify-full',
  verify_identity: 'verify-full',
  'verify-identity': 'verify-full',
};
const tlsNames = ['sslmode', 'ssl-mode', 'ssl_mode', 'tls', 'ssl', 'encrypt', 'secure'];
const databaseNames = ['dbname', 'database', 'databasename'];
const userNames = ['user', 'username'];

function server(scheme: Kind, chosen: Kind, parts: Parts): Parsed {
  const left: string[] = [];
  const [first = '', ...others] = parts.hosts.split(',');
  if (others.length > 0) left.push(`the further hosts ${others.join(', ')}`);
  const [host, port] = hostPort(first);
  const kind = kindOf(scheme, chosen, host);
  const values: Partial<Values> = { db_type: kind, host, port: port || String(kinds[kind].port) };
  if (parts.username) values.username = parts.username;
  let { password } = parts;
  let place = parts.path;
  for (const [name, value] of parts.query) {
    const mode = tlsNames.includes(name) ? tlsModes[value === '1' ? 'true' : value.toLowerCase()] : undefined;
    if (mode) values.ssl_mode = mode;
    else if (databaseNames.includes(name)) place = value;
    else if (userNames.includes(name)) values.username = value;
    else if (name === 'password') password = value;
    else if (name === 'host' && !host) values.host = value;
    else left.push(name);
  }
  if (kind === 'cassandra') values.options = options([['keyspace', place]]);
  else if (place) values.database = place;
  return { values, password: password || undefined, left };
}

function kindOf(scheme: Kind, chosen: Kind, host: string): Kind {
  if (scheme !== 'postgresql') return scheme;
  if (/\.supabase\.(co|com)$/i.test(host)) return 'supabase';
  return postgresLike.includes(chosen) ? chosen : scheme;
}

function options(given: readonly [name: string, value: string | undefined][]): Option[] {
  return given.flatMap(([name, value]) => (value ? [{ name, type: 'text' as const, value }] : []));
}

/** sqlite:shop.db, sqlite:///shop.db, file:shop.db?mode=ro; a path that starts at the root loses its directories. */
function sqlite(rest: string): Parsed {
  const [path = '', query = ''] = cut(rest, '?');
  const left = pairs(query.replace(/#.*$/, ''), '&').map(([name]) => name);
  const plain = decode(path.replace(/^\/\/\//, '').replace(/^\/\//, ''));
  if (!plain.startsWith('/') && !/^[a-z]:[\\/]/i.test(plain)) {
    return { values: { db_type: 'sqlite', database: plain.replace(/^\.\//, '') }, left };
  }
  const file = plain.split(/[\\/]/).pop() ?? '';
  left.push('the directory of the file: a file is looked up below the SQLite directory of the studio');
  return { values: { db_type: 'sqlite', database: file }, left };
}

/** snowflake://user:password@account/database/schema?warehouse=…&role=… */
function snowflake({ username, password, hosts, path, query }: Parts): Parsed {
  const [database = '', schema = ''] = path.split('/');
  const value = (name: string) => query.find(([key]) => key === name)?.[1];
  const account = hosts.replace(/(\.snowflakecomputing\.com)?(:\d+)?$/i, '');
  const taken = ['account', 'warehouse', 'role', 'schema', 'db'];
  return {
    values: {
      db_type: 'snowflake',
      port: '',
      username,
      database: database || (value('db') ?? ''),
      options: options([
        ['account', account || value('account')],
        ['warehouse', value('warehouse')],
        ['schema', schema || value('schema')],
        ['role', value('role')],
      ]),
    },
    password,
    left: query.map(([name]) => name).filter((name) => !taken.includes(name)),
  };
}

/** bigquery://project/dataset */
function bigquery({ hosts, path, query }: Parts): Parsed {
  const given: [string, string][] = [
    ['project_id', hosts],
    ['dataset', path.split('/')[0] ?? ''],
  ];
  return {
    values: { db_type: 'bigquery', port: '', options: options(given) },
    left: query.map(([name]) => name),
  };
}

/** Lays what a URL says over the form: what it does not name stays. */
export function applyUrl(values: Values, { values: parsed }: Parsed): Values {
  const named = new Set(parsed.options?.map((o) => o.name));
  const kept = values.options.filter((o) => !named.has(o.name));
  const name = values.name || parsed.database || parsed.host || fresh.name;
  return { ...values, ...parsed, name, options: [...kept, ...(parsed.options ?? [])] };
}
