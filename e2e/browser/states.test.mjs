// Every page that loads something, while it loads and when it cannot. See lib/sweep.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { failing, launch, stall } from '../lib/browser.mjs';
import { pagesOf, populate } from '../lib/pages.mjs';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';
import { atOnce, Sweep } from '../lib/sweep.mjs';

let browser, shop, full, ids, sweep;

before(async () => {
  [shop, full, browser] = await Promise.all([Shop.create(), Studio.start(), launch()]);
  await full.setup();
  ids = await populate(full, shop);
  sweep = new Sweep(browser);
});
after(async () => {
  await browser?.close();
  await full?.stop();
  await shop?.drop();
});

const still = ['not-found', 'connection-new', 'tool-new', 'deploy-logs', 'connection-used-by', 'tool-definition', 'tool-history']; // nothing to wait for, or what the page beside it waits for
const loaded = () => pagesOf(ids).filter(([name]) => !still.includes(name));

test('loading', { concurrency: atOnce }, (t) => Promise.all(loaded().map(([name, address]) => t.test(name, () => sweep.check(full, address, {
  prepare: stall,
  shown: async (page) => {
    await page.getByRole('banner').waitFor(); // before the shell there is another "Loading"
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('main').locator('[aria-busy="true"]').first().waitFor();
  },
})))));

// The page asks three times before it says so: three seconds, in which the machine does something else.
test('error', { concurrency: 2 * atOnce }, (t) => Promise.all(loaded().map(([name, address]) => t.test(name, () => sweep.check(full, address, {
  prepare: failing,
  shown: async (page) => {
    const alert = page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.innerText(), /disk I\/O error/);
    assert.match(await alert.innerText(), /req-0001/);
    await page.getByRole('button', { name: 'Retry' }).first().waitFor();
  },
})))));
