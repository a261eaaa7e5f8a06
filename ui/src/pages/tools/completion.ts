import type { DbType, Table } from './api';

/** Schema → table → columns, as the editor's completion wants it. Databases without schemas list tables at the top. */
export type Namespace = Record<string, string[] | Record<string, string[]>>;

export function namespaceOf(tables: readonly Table[]): Namespace {
  const out: Namespace = {};
  for (const t of tables) {
    const columns = (t.columns ?? []).map((c) => c.name);
    if (t.schema === '') {
      out[t.name] = columns;
      continue;
    }
    const schema = out[t.schema];
    if (schema && !Array.isArray(schema)) schema[t.name] = columns;
    else out[t.schema] = { [t.name]: columns };
  }
  return out;
}

/** The schema whose tables need no prefix, as each database has it at first. */
export function defaultSchema(db: DbType | undefined, tables: readonly Table[]): string | undefined {
  const usual = { postgresql: 'public', greenplum: 'public', supabase: 'public', mssql: 'dbo', sqlite: 'main' };
  const name = db && db in usual ? usual[db as keyof typeof usual] : undefined;
  if (name !== undefined) return name;
  const schemas = new Set(tables.map((t) => t.schema));
  return schemas.size === 1 ? [...schemas][0] : undefined;
}
