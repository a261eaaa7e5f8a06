/**
 * The words that several pages share: what databases, states and the commonest buttons are called. A word of one page
 * stands on that page or in its own words.ts; the words of errors are in api/errors.ts.
 */
import type { components } from '@/api/schema';

type DbType = components['schemas']['Connection']['db_type'];

/** A kind of database as its makers write it. */
export const databases: Readonly<Record<DbType, string>> = {
  postgresql: 'PostgreSQL',
  mysql: 'MySQL',
  mssql: 'SQL Server',
  sqlite: 'SQLite',
  clickhouse: 'ClickHouse',
  supabase: 'Supabase',
  greenplum: 'Greenplum',
  cassandra: 'Cassandra',
  snowflake: 'Snowflake',
  bigquery: 'BigQuery',
};

/** What is live, saved or neither: the same words everywhere, beside the shapes of ui/state. */
export const states = {
  live: 'Live',
  notRunning: 'Not running',
  deploying: 'Deploying',
  error: 'Error',
  warning: 'Warning',
  enabled: 'Enabled',
  disabled: 'Disabled',
  unsaved: 'Unsaved changes',
} as const;

/** What a button says on more than one page. */
export const buttons = {
  cancel: 'Cancel',
  close: 'Close',
  delete: 'Delete',
  dismiss: 'Dismiss',
  retry: 'Retry',
  save: 'Save',
  signIn: 'Sign in',
  signOut: 'Sign out',
  undo: 'Undo',
} as const;
