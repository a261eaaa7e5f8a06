import { type ListAddress, listAddress } from '@/components/list/address';
import { isKind, type Kind } from './kinds';

/** The list's state in its address. */
export interface ListSearch extends ListAddress {
  db_type?: Kind;
}

export function parseListSearch(search: Record<string, unknown>): ListSearch {
  return { ...listAddress(search), db_type: isKind(search.db_type) ? search.db_type : undefined };
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
