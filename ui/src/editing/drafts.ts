import type { Base, FieldTable } from './fields';

/**
 * What somebody typed and did not save, kept in this browser's IndexedDB. Forms hold no secrets, so none is kept. Every
 * function is quiet when the browser keeps nothing (private windows, policies, a full disk): a draft is a safety net
 * and no page depends on it.
 */
export interface Draft<F> {
  key: string;
  form: F;
  /** What the draft was begun from: a newer version on the server makes it a conflict and not a surprise. */
  base: Base<F>;
  /** Texts that belong to the page and not to the entity, for example test values. */
  aside: Texts;
  /** Milliseconds since the epoch. */
  at: number;
}

export type Texts = Readonly<Record<string, string>>;

const database = 'studio';
const drafts = 'drafts';

/** "connection new" or "connection <id>". */
export const draftKey = (kind: string, id?: string): string => `${kind} ${id ?? 'new'}`;
/** An older draft that still waits for a decision is not replaced by what is typed beside it: that has another place. */
const placesOf = (key: string): readonly string[] => [key, `${key} 2`, `${key} 3`];

/** Where the draft of this visit goes: a free place, or that of the oldest draft. */
export function placeFor(key: string, waiting: readonly { key: string; at: number }[]): string {
  const free = placesOf(key).find((place) => waiting.every((d) => d.key !== place));
  return free ?? [...waiting].sort((a, b) => a.at - b.at)[0]?.key ?? key;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Stays open from the first use on: a page that is being left does not live to see it opened. */
let opened: IDBDatabase | undefined;

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(drafts, { keyPath: 'key' });
  const db = await settled(request);
  if (opened) {
    db.close();
    return opened;
  }
  const forget = () => {
    db.close();
    opened = undefined;
  };
  db.onclose = forget;
  db.onversionchange = forget;
  opened = db;
  return db;
}

/** Begins at once when the database is open, and does not wait to be told the result before it commits: both for a page that is being left. */
async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    const transaction = (opened ?? (await open())).transaction(drafts, mode);
    const request = act(transaction.objectStore(drafts));
    transaction.commit();
    return await settled(request);
  } catch {
    return undefined;
  }
}

/** The drafts of one entity, newest first. */
export async function readDrafts<F>(key: string, parse: FieldTable<F>['parse']): Promise<Draft<F>[]> {
  const found: Draft<F>[] = [];
  for (const place of placesOf(key)) {
    const draft = parseDraft(await run<unknown>('readonly', (store) => store.get(place)), parse);
    if (draft) found.push(draft);
  }
  return found.sort((a, b) => b.at - a.at);
}

/** Judges what was kept, perhaps by an older version of the page; undefined for what it cannot show. */
export function parseDraft<F>(kept: unknown, parse: FieldTable<F>['parse']): Draft<F> | undefined {
  const { key, form, base, aside, at } = members(kept);
  const { version, form: from } = members(base);
  const [own, before] = [parse(form), parse(from)];
  if (typeof key !== 'string' || typeof at !== 'number' || typeof version !== 'number') return undefined;
  if (own === undefined || before === undefined) return undefined;
  return { key, form: own, base: { version, form: before }, aside: texts(aside), at };
}

const members = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

function texts(value: unknown): Texts {
  const out: Record<string, string> = {};
  for (const [name, text] of Object.entries(members(value))) if (typeof text === 'string') out[name] = text;
  return out;
}

export async function writeDraft<F>(draft: Draft<F>): Promise<void> {
  await run('readwrite', (store) => store.put(draft));
}

export async function removeDraft(key: string): Promise<void> {
  await run('readwrite', (store) => store.delete(key));
}

/** Texts of a page that are wanted again on the next visit, draft or not. */
export async function readTexts(key: string): Promise<Texts> {
  return texts(members(await run<unknown>('readonly', (store) => store.get(key))).texts);
}

export async function writeTexts(key: string, kept: Texts): Promise<void> {
  await run('readwrite', (store) => store.put({ key, texts: kept }));
}
