import { type ListAddress, listAddress, textOf } from '@/components/list/address';

/** What the addresses of the tool pages carry. Unknown or malformed members are dropped. */
export interface ToolsSearch extends ListAddress {
  connection?: string;
  enabled?: 'yes' | 'no';
  tag?: string;
}

export const resultTabs = ['preview', 'raw', 'client', 'definition', 'history'] as const;
export type ResultTab = (typeof resultTabs)[number];

export interface ToolSearch {
  tab?: ResultTab;
}

export interface NewToolSearch extends ToolSearch {
  connection?: string;
  /** "schema.table": begin with a list of this table. */
  table?: string;
}

export function toolsSearch(given: Record<string, unknown>): ToolsSearch {
  return {
    ...listAddress(given),
    connection: textOf(given.connection),
    enabled: given.enabled === 'yes' || given.enabled === 'no' ? given.enabled : undefined,
    tag: textOf(given.tag),
  };
}

export function toolSearch(given: Record<string, unknown>): ToolSearch {
  return { tab: resultTabs.find((t) => t === given.tab) };
}

export function newToolSearch(given: Record<string, unknown>): NewToolSearch {
  return { ...toolSearch(given), connection: textOf(given.connection), table: textOf(given.table) };
}
