import type { BuilderState } from './builder-state';
import type { ToolForm } from './form';

/** What somebody typed and did not save. A tool holds no secrets, so all of it may be kept. */
export interface StoredDraft {
  key: string;
  form: ToolForm;
  tests: Readonly<Record<string, string>>;
  /** What the draft was begun from: a newer version on the server makes it a conflict and not a surprise. */
  base: BuilderState['base'];
  /** Milliseconds since the epoch. */
  at: number;
}

const database = 'studio';
const store = 'drafts';

export const draftKey = (id: string | undefined): string => `tool ${id ?? 'new'}`;
/** Where edits go while an older draft still waits for a decision, so that neither replaces the other. */
export const secondKey = (key: string): string => `${key} 2`;

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(database, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error('the draft database is blocked'));
  });
}

async function run<T>(mode: IDBTransactionMode, work: (drafts: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(store, mode);
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
      transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

/** The drafts of one tool, newest first. Without storage (private windows, policies) there are none. */
export async function readDrafts(key: string): Promise<StoredDraft[]> {
  const found: StoredDraft[] = [];
  for (const k of [key, secondKey(key)]) {
    const draft: StoredDraft | undefined = await run('readonly', (drafts) => drafts.get(k)).catch(() => undefined);
    if (draft) found.push(draft);
  }
  return found.sort((a, b) => b.at - a.at);
}

export async function writeDraft(draft: StoredDraft): Promise<void> {
  await run('readwrite', (drafts) => drafts.put(draft)).catch(() => undefined);
}

export async function removeDraft(key: string): Promise<void> {
  await run('readwrite', (drafts) => drafts.delete(key)).catch(() => undefined);
}

const testsKey = (id: string): string => `tests ${id}`;

/** The test values of a saved tool. They are no part of it, and are wanted again on the next visit. */
export async function readTests(id: string): Promise<Readonly<Record<string, string>>> {
  const found: { tests: Record<string, string> } | undefined = await run('readonly', (drafts) =>
    drafts.get(testsKey(id)),
  ).catch(() => undefined);
  return found?.tests ?? {};
}

export async function writeTests(id: string, tests: Readonly<Record<string, string>>): Promise<void> {
  await run('readwrite', (drafts) => drafts.put({ key: testsKey(id), tests })).catch(() => undefined);
}
