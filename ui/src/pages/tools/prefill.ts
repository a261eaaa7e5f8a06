import type { Column, DbType } from './api';
import { blankForm, blankParameter, type ToolForm } from './form';

/** Words that most databases take for themselves when they are not quoted. */
const reserved = new Set(
  'all and any as asc between by case check column constraint create cross current_date current_time current_timestamp current_user default delete desc distinct drop else end except exists false fetch for foreign from full grant group having in index inner insert intersect into is join key left like limit not null offset on or order outer primary range rank references revoke right row rows select session_user set some table then to trigger true union unique update user using value values view when where window with'.split(
    ' ',
  ),
);

const backticks: readonly DbType[] = ['mysql', 'bigquery', 'clickhouse'];

/** A name as the statement needs it: bare where the database would read it back unchanged, quoted otherwise. */
export function quote(name: string, db: DbType): string {
  const bare = db === 'snowflake' ? /^[A-Z_][A-Z0-9_]*$/ : /^[a-z_][a-z0-9_]*$/;
  if (bare.test(name) && !reserved.has(name.toLowerCase())) return name;
  if (backticks.includes(db)) return `\`${name.replaceAll('`', '``')}\``;
  if (db === 'mssql') return `[${name.replaceAll(']', ']]')}]`;
  return `"${name.replaceAll('"', '""')}"`;
}

export interface TableName {
  schema: string;
  table: string;
}

/** "schema.table" as the address of the page has it; the part before the first dot is the schema. */
export function parseTable(text: string): TableName {
  const dot = text.indexOf('.');
  return dot < 0 ? { schema: '', table: text } : { schema: text.slice(0, dot), table: text.slice(dot + 1) };
}

/** A list of the first rows of a table, by its key where it has one, bounded by a parameter. */
export function listStatement({ schema, table }: TableName, columns: readonly Column[], db: DbType): string {
  const q = (name: string) => quote(name, db);
  const keys = columns.filter((c) => c.primary_key).map((c) => q(c.name));
  const list = columns.map((c) => q(c.name)).join(',\n       ') || '*';
  const lines = [`SELECT ${list}`, `FROM ${schema ? `${q(schema)}.` : ''}${q(table)}`];
  // Cassandra sorts only within a partition; SQL Server limits only what is sorted.
  if (db === 'mssql') lines.push(`ORDER BY ${keys.join(', ') || '(SELECT NULL)'}`);
  else if (keys.length > 0 && db !== 'cassandra') lines.push(`ORDER BY ${keys.join(', ')}`);
  lines.push(db === 'mssql' ? 'OFFSET 0 ROWS FETCH NEXT :limit ROWS ONLY' : 'LIMIT :limit');
  return lines.join('\n');
}

/** A name that MCP accepts: a letter first, then letters, digits and _. */
export function toolName(prefix: string, table: string): string {
  const words = table
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return `${prefix}${words ? `_${words}` : ''}`.toLowerCase().slice(0, 64);
}

/** A new tool that lists a table. */
export function listTool(connectionId: string, name: TableName, columns: readonly Column[], db: DbType): ToolForm {
  const shown = columns.slice(0, 12).map((c) => c.name);
  const more = columns.length > shown.length ? ' and more' : '';
  return {
    ...blankForm(connectionId),
    name: toolName('list', name.table),
    description: `Lists rows of ${name.table}${shown.length > 0 ? `: ${shown.join(', ')}${more}` : ''}.`,
    sql_query: listStatement(name, columns, db),
    annotations: { read_only: true, destructive: false, idempotent: true, open_world: false },
    parameters: [
      {
        ...blankParameter('limit', 'integer'),
        description: 'How many rows to return.',
        is_required: false,
        default_value: '50',
        minimum: '1',
        maximum: '1000',
      },
    ],
  };
}
