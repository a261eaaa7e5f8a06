import { Cloud, Database, File, Layers, type LucideIcon } from 'lucide-react';
import type { components } from '@/api/schema';
import { databases } from '@/lib/words';

export type Kind = components['schemas']['Connection']['db_type'];

/** An entry of extra_params that a kind needs to be reached at all; shown among the basics, not under Advanced. */
export interface KindOption {
  name: string;
  label: string;
  hint: string;
  secret?: boolean;
}

export interface KindFacts {
  title: string;
  icon: LucideIcon;
  /** Reached at a host and port of one's choice, with TLS as one chooses. */
  host: boolean;
  port: number;
  /** What the field `database` is called; empty when the kind has none. */
  database: string;
  /** Signs in with a name and a password. */
  user: boolean;
  options: readonly KindOption[];
  /** What somebody may type to find it. */
  synonyms: string;
}

const server = { icon: Database, host: true, database: 'Database', user: true, options: [] };

/** The ten kinds, in the order of the form. Whether one can be reached is the server's to say. */
export const kinds: Readonly<Record<Kind, KindFacts>> = {
  postgresql: { ...server, title: databases.postgresql, port: 5432, synonyms: 'postgres pg cockroach timescale neon' },
  mysql: { ...server, title: databases.mysql, port: 3306, synonyms: 'mariadb aurora percona' },
  mssql: { ...server, title: databases.mssql, port: 1433, synonyms: 'mssql microsoft azure tsql' },
  sqlite: {
    title: databases.sqlite,
    icon: File,
    host: false,
    port: 0,
    database: 'File',
    user: false,
    options: [],
    synonyms: 'file db',
  },
  clickhouse: { ...server, icon: Layers, title: databases.clickhouse, port: 9000, synonyms: 'columnar analytics' },
  supabase: {
    ...server,
    icon: Cloud,
    title: databases.supabase,
    port: 5432,
    options: [{ name: 'project_ref', label: 'Project', hint: 'The reference in the address of the project.' }],
    synonyms: 'postgres cloud',
  },
  greenplum: { ...server, icon: Layers, title: databases.greenplum, port: 5432, synonyms: 'postgres warehouse' },
  cassandra: {
    ...server,
    icon: Layers,
    title: databases.cassandra,
    port: 9042,
    database: '',
    options: [{ name: 'keyspace', label: 'Keyspace', hint: 'Where unqualified table names are looked up.' }],
    synonyms: 'scylla cql',
  },
  snowflake: {
    title: databases.snowflake,
    icon: Cloud,
    host: false,
    port: 0,
    database: 'Database',
    user: true,
    options: [
      { name: 'account', label: 'Account', hint: 'The account identifier, for example myorg-account1.' },
      { name: 'warehouse', label: 'Warehouse', hint: 'The compute that runs the statements.' },
      { name: 'schema', label: 'Schema', hint: 'Where unqualified table names are looked up.' },
      { name: 'role', label: 'Role', hint: 'A role that may only read.' },
    ],
    synonyms: 'warehouse cloud',
  },
  bigquery: {
    title: databases.bigquery,
    icon: Cloud,
    host: false,
    port: 0,
    database: '',
    user: false,
    options: [
      { name: 'project_id', label: 'Project', hint: 'The project that is billed for the queries.' },
      { name: 'dataset', label: 'Dataset', hint: 'Where unqualified table names are looked up.' },
      {
        name: 'credentials_json',
        label: 'Service account key',
        hint: 'The JSON key file of the service account.',
        secret: true,
      },
    ],
    synonyms: 'google cloud warehouse',
  },
};

// Object.keys answers string[]; the keys of a Record<Kind, …> literal are the kinds.
export const kindNames = Object.keys(kinds) as Kind[];

export const isKind = (value: unknown): value is Kind => kindNames.some((kind) => kind === value);

/** The names of the secret entries of extra_params. */
export const secretOptions = (kind: Kind): string[] => kinds[kind].options.filter((o) => o.secret).map((o) => o.name);

export const isKindOption = (kind: Kind, name: string): boolean => kinds[kind].options.some((o) => o.name === name);

/** Kinds whose title, name or synonyms contain the text. */
export function findKinds(text: string): Kind[] {
  const wanted = text.trim().toLowerCase();
  return kindNames.filter((kind) =>
    `${kinds[kind].title} ${kind} ${kinds[kind].synonyms}`.toLowerCase().includes(wanted),
  );
}

/** Where a connection leads, in one line: "db.internal / shop". */
export function target(c: {
  db_type: Kind;
  host: string;
  port: number;
  database: string;
  extra_params: object;
}): string {
  const facts = kinds[c.db_type];
  const options: Record<string, unknown> = { ...c.extra_params };
  const option = (name: string) => (typeof options[name] === 'string' ? options[name] : '');
  const host = facts.host ? c.host + (c.port === facts.port ? '' : `:${c.port}`) : option('account');
  const place = c.database || option('keyspace') || option('dataset');
  return [host || option('project_id'), place].filter(Boolean).join(' / ');
}
