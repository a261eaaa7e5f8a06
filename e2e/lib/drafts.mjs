// What the UI keeps of a form that was not saved, in the browser's IndexedDB.
import assert from 'node:assert/strict';

/** Every draft and remembered text of the browser, as JSON. A database that is not there yet is not made: the UI makes it with its stores. */
export function drafts(page) {
  return page.evaluate(() => new Promise((done, fail) => {
    const request = indexedDB.open('studio', 1);
    request.onupgradeneeded = () => request.transaction.abort();
    request.onerror = () => (request.error?.name === 'AbortError' ? done('[]') : fail(request.error));
    request.onsuccess = () => {
      const all = request.result.transaction('drafts').objectStore('drafts').getAll();
      all.onsuccess = () => {
        request.result.close();
        done(JSON.stringify(all.result));
      };
    };
  }));
}

async function until(page, holds, what, ms = 30_000) {
  for (const end = Date.now() + ms; ;) {
    const kept = await drafts(page);
    if (holds(kept)) return kept;
    if (Date.now() > end) assert.fail(`${what}; kept is ${kept}`);
    await page.waitForTimeout(50);
  }
}

/** Waits until a draft with this text is kept: the UI writes it some time after the last key. */
export const draftKept = (page, text) => until(page, (kept) => kept.includes(text), `no draft with ${text}`);

/** Waits until no draft has this text. */
export const draftGone = (page, text) => until(page, (kept) => !kept.includes(text), `a draft with ${text} stays`);
