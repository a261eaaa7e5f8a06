/** The parts of a list's state that every address carries. What is not understood is left out. */
export interface ListAddress {
  search?: string;
  sort?: Sort;
  /** From 1; the first is left out. */
  page?: number;
}

/** Rows of one page. */
export const pageSize = 50;

const sorts = ['name', '-name', 'updated_at', '-updated_at'] as const;
export type Sort = (typeof sorts)[number];

export function listAddress(given: Record<string, unknown>): ListAddress {
  return { search: textOf(given.search), sort: sortOf(given.sort), page: pageOfList(given.page) };
}

/** A page as the address has it: the first, and what is none, are left out. */
export function pageOfList(value: unknown): number | undefined {
  const page = Number(value);
  return Number.isSafeInteger(page) && page > 1 ? page : undefined;
}

/** A sort as the address has it: by name, the usual one, is left out. */
export function sortOf(value: unknown): Sort | undefined {
  return sorts.find((s) => s === value && s !== 'name');
}

/** A text of the address; the router reads ?search=2024 as a number. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What the server is asked for. */
export function listQuery({ search, sort = 'name', page = 1 }: ListAddress) {
  return { limit: pageSize, skip: (page - 1) * pageSize, sort, ...(search && { search }) };
}
