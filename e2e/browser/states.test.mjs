// Every page that loads something, while it loads and when it cannot. See lib/sweep.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failing, stall } from '../lib/browser.mjs';
import { pagesOf } from '../lib/pages.mjs';
import { stage } from '../lib/stage.mjs';
import { atOnce } from '../lib/sweep.mjs';

const on = stage();

const still = ['not-found', 'connection-new', 'tool-new', 'deploy-logs', 'connection-used-by', 'tool-definition', 'tool-history']; // nothing to wait for, or what the page beside it waits for
const loaded = () => pagesOf(on.ids).filter(([name]) => !still.includes(name));

test('loading', { concurrency: atOnce }, (t) => Promise.all(loaded().map(([name, address]) => t.test(name, () => on.sweep.check(on.full, address, {
  prepare: stall,
  shown: async (page) => {
    await page.getByRole('banner').waitFor(); // before the shell there is another "Loading"
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('main').locator('[aria-busy="true"]').first().waitFor();
  },
})))));

// The page asks three times before it says so: three seconds, in which the machine does something else.
test('error', { concurrency: 2 * atOnce }, (t) => Promise.all(loaded().map(([name, address]) => t.test(name, () => on.sweep.check(on.full, address, {
  prepare: failing,
  shown: async (page) => {
    const alert = page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.innerText(), /disk I\/O error/);
    assert.match(await alert.innerText(), /req-0001/);
    await page.getByRole('button', { name: 'Retry' }).first().waitFor();
  },
})))));
