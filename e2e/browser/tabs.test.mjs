// More windows than the six connections that HTTP/1.1 gives a host: they share one event stream, so every one of them stays alive.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, visit, watched } from '../lib/browser.mjs';
import { Studio } from '../lib/studio.mjs';

const count = 8;
let studio, browser, context;
const pages = [];

before(async () => {
  [studio, browser] = await Promise.all([Studio.start(), launch()]);
  await studio.setup();
  context = await visit(browser, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

/** The pages that follow the stream themselves at this moment. */
const leaders = () => pages.filter((page) => page.streams.size > 0);

async function open() {
  const page = await watched(context, studio);
  page.streams = new Set();
  const isStream = (request) => new URL(request.url()).pathname === '/api/v1/events';
  page.on('request', (r) => { if (isStream(r)) page.streams.add(r); });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => page.streams.delete(r));
  pages.push(page);
  await page.goto(`${studio.base}/connections`);
  await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
  return page;
}

/** A connection made behind the pages' backs is shown by each of them without a reload. */
async function isTold(name) {
  await studio.api('POST', 'connections', { name, db_type: 'sqlite', database: 'none.db' });
  await Promise.all(pages.map((page, n) => page.getByText(name).first().waitFor().catch(() => assert.fail(`window ${n} was not told of ${name}`))));
}

test('eight visible windows share one event stream, load their data and hear of every change', async () => {
  for (let n = 0; n < count; n++) await open();
  await isTold('First');
  assert.equal(leaders().length, 1, 'streams');
});

test('when the window that holds the stream is closed, another takes over at once', async () => {
  for (let n = 0; n < 2; n++) {
    const [leader] = leaders();
    await leader.close();
    pages.splice(pages.indexOf(leader), 1);
    await studio.until(() => leaders().length === 1, 'another window to take over');
    await isTold(`After ${n}`);
  }
});

test('a session that ended asks in every window; signing in to one is enough, and all follow again', async () => {
  await studio.api('POST', 'auth/logout', {});
  await studio.api('POST', 'auth/login', { username: studio.username, password: studio.password });
  const asked = (page) => page.getByRole('dialog', { name: 'Sign in to continue' });
  await Promise.all(pages.map((page) => asked(page).waitFor()));
  await asked(pages[2]).getByLabel('Password', { exact: true }).fill(studio.password);
  await pages[2].keyboard.press('Enter');
  await Promise.all(pages.map((page) => asked(page).waitFor({ state: 'detached' })));
  await studio.until(() => leaders().length === 1, 'one window to follow again');
  await isTold('Signed in again');
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(pages.flatMap((page) => page.findings), []);
});
