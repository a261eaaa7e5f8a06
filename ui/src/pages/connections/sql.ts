import type { Kind } from './kinds';

/** An identifier as the database reads it literally, whatever is in it. */
export function quoteName(kind: Kind, name: string): string {
  switch (kind) {
    case 'mysql':
      return `\`${name.replaceAll('`', '``')}\``;
    // In both a backslash inside backticks starts an escape.
    case 'clickhouse':
    case 'bigquery':
      return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
    case 'mssql':
      return `[${name.replaceAll(']', ']]')}]`;
    default:
      return `"${name.replaceAll('"', '""')}"`;
  }
}

/** The statement that shows what is in a table. Without an order: the database answers what costs it least. */
export function sampleSql(kind: Kind, table: { schema: string; name: string }, rows: number): string {
  const from = [table.schema, table.name]
    .filter(Boolean)
    .map((name) => quoteName(kind, name))
    .join('.');
  return kind === 'mssql' ? `SELECT TOP ${rows} * FROM ${from}` : `SELECT * FROM ${from} LIMIT ${rows}`;
}
