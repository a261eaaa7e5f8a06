import type { Table, UsedParameter } from './api';
import type { Used } from './reconcile';

/**
 * What a statement suggests, made sharper by the schema: a placeholder that is compared with a column has that column's
 * type. Only where the server found no type, and only when every table the statement names agrees on the column.
 */
export function suggest(used: readonly UsedParameter[], sql: string, tables: readonly Table[]): readonly Used[] {
  const words = new Set(sql.toLowerCase().match(/[\p{L}\p{N}_$]+/gu));
  const named = tables.filter((t) => words.has(t.name.toLowerCase()));
  return used.map((u) => {
    if (u.suggested_type !== 'string' || u.compared === '') return u;
    const column = u.compared.slice(u.compared.lastIndexOf('.') + 1).toLowerCase();
    const columns = named.flatMap((t) => (t.columns ?? []).filter((c) => c.name.toLowerCase() === column));
    const types = new Set(columns.map((c) => c.param_type));
    const [type] = types;
    return type !== undefined && types.size === 1 ? { ...u, suggested_type: type } : u;
  });
}
