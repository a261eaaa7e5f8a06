/** What the addresses of the tool pages carry. Unknown or malformed members are dropped. */
export interface ToolsSearch {
  search?: string;
  connection?: string;
  enabled?: 'yes' | 'no';
  tag?: string;
  sort?: string;
  page?: number;
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

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

const sorts = ['name', '-name', 'updated_at', '-updated_at'];

export function toolsSearch(given: Record<string, unknown>): ToolsSearch {
  const page = Number(given.page);
  return {
    search: text(given.search),
    connection: text(given.connection),
    enabled: given.enabled === 'yes' || given.enabled === 'no' ? given.enabled : undefined,
    tag: text(given.tag),
    sort: sorts.find((s) => s === given.sort),
    page: Number.isInteger(page) && page > 1 ? page : undefined,
  };
}

export function toolSearch(given: Record<string, unknown>): ToolSearch {
  return { tab: resultTabs.find((t) => t === given.tab) };
}

export function newToolSearch(given: Record<string, unknown>): NewToolSearch {
  return { ...toolSearch(given), connection: text(given.connection), table: text(given.table) };
}
