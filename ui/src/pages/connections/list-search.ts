import { isKind, type Kind } from './kinds';

const sorts = ['name', '-name', 'updated_at', '-updated_at'] as const;

/** The list's state in its address. Anything that is not understood is left out. */
export interface ListSearch {
  search?: string;
  db_type?: Kind;
  sort?: (typeof sorts)[number];
  skip?: number;
}

export function parseListSearch(search: Record<string, unknown>): ListSearch {
  const { search: text, db_type, sort, skip } = search;
  return {
    // The router reads ?search=2024 as a number.
    search: typeof text === 'string' || typeof text === 'number' ? String(text) : undefined,
    db_type: isKind(db_type) ? db_type : undefined,
    sort: sorts.find((s) => s === sort),
    skip: typeof skip === 'number' && Number.isSafeInteger(skip) && skip > 0 ? skip : undefined,
  };
}

export const tabs = ['settings', 'schema', 'used-by'] as const;
export type Tab = (typeof tabs)[number];

/** The detail page's state in its address. `table` is "schema.name" of the table that is open. */
export interface DetailSearch {
  tab?: Tab;
  table?: string;
}

export function parseDetailSearch(search: Record<string, unknown>): DetailSearch {
  return {
    tab: tabs.find((t) => t === search.tab),
    table: typeof search.table === 'string' ? search.table : undefined,
  };
}
