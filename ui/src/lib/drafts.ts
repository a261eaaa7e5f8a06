/**
 * What somebody typed and did not save, kept in this browser: one draft per entity, in IndexedDB. Callers never put
 * secrets in. Every function is quiet when the browser keeps nothing (private windows, policies, a full disk): a draft
 * is a safety net, not a promise the page depends on.
 */
export interface Draft<T> {
  value: T;
  /** The version of the entity the draft started from; 0 for an entity that does not exist yet. */
  version: number;
  /** When it was kept, as ISO 8601. */
  at: string;
}

const database = 'studio';
const drafts = 'drafts';

/** "connection new" or "connection <id>". */
export const draftKey = (kind: string, id?: string): string => `${kind} ${id ?? 'new'}`;

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(drafts, { keyPath: 'key' });
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    const db = await open();
    try {
      return await settled(act(db.transaction(drafts, mode).objectStore(drafts)));
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}

/** The draft under a key. `parse` judges what an older version of the page may have kept; undefined drops it. */
export async function readDraft<T>(
  key: string,
  parse: (value: unknown) => T | undefined,
): Promise<Draft<T> | undefined> {
  const kept: unknown = await run<unknown>('readonly', (store) => store.get(key));
  if (typeof kept !== 'object' || kept === null) return undefined;
  if (!('value' in kept) || !('version' in kept) || !('at' in kept)) return undefined;
  if (typeof kept.version !== 'number' || typeof kept.at !== 'string') return undefined;
  const value = parse(kept.value);
  return value === undefined ? undefined : { value, version: kept.version, at: kept.at };
}

export async function writeDraft<T>(key: string, value: T, version: number, now = new Date()): Promise<void> {
  const draft: Draft<T> = { value, version, at: now.toISOString() };
  await run('readwrite', (store) => store.put({ ...draft, key }));
}

export async function dropDraft(key: string): Promise<void> {
  await run('readwrite', (store) => store.delete(key));
}
