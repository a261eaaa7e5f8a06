import type { components } from '@/api/schema';

export type Table = components['schemas']['Table'];
export type Column = components['schemas']['Column'];
export type ForeignKey = components['schemas']['ForeignKey'];

export interface Group {
  schema: string;
  tables: readonly Table[];
}

/** As the address of the page and of a new tool names it. */
export const tableName = ({ schema, name }: Pick<Table, 'schema' | 'name'>): string =>
  schema ? `${schema}.${name}` : name;

/** Tables by their schema, both in the order of their names. */
export function bySchema(tables: readonly Table[]): Group[] {
  const groups = new Map<string, Table[]>();
  for (const table of tables) groups.set(table.schema, [...(groups.get(table.schema) ?? []), table]);
  return [...groups]
    .map(([schema, all]) => ({ schema, tables: all.sort((a, b) => a.name.localeCompare(b.name)) }))
    .sort((a, b) => a.schema.localeCompare(b.schema));
}

/** The foreign key that a column is part of, as "public.customers.id". */
export function reference(column: string, keys: readonly ForeignKey[]): string | undefined {
  for (const key of keys) {
    const index = key.columns.indexOf(column);
    if (index >= 0) return [key.ref_schema, key.ref_table, key.ref_columns[index]].filter(Boolean).join('.');
  }
  return undefined;
}

const kindWords: Readonly<Record<string, string>> = {
  table: 'table',
  view: 'view',
  materialized_view: 'materialized view',
  foreign_table: 'foreign table',
};

export const kindWord = (kind: string): string => kindWords[kind] ?? kind;

/** The rows of a preview, as far as they are objects. */
export function rowsOf(rows: unknown): Record<string, unknown>[] {
  if (!Array.isArray(rows)) return [];
  return rows.filter((row): row is Record<string, unknown> => typeof row === 'object' && row !== null);
}

/** A value as a cell of the sample shows it; null has its own look. */
export function cellText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
