// Pictures of every page for docs/screens, with the same content each time: UPDATE_SCREENS=1 writes them. Otherwise the missing ones are
// written, and every fifth of the others, tomorrow the next ones, goes to e2e/out, which is ignored: it shows that they can still be made.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { idle, launch, phone, settled, visit, watched, wide } from '../lib/browser.mjs';
import { withClient } from '../lib/mcp.mjs';
import { pagesOf, populate } from '../lib/pages.mjs';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';

const kept = fileURLToPath(new URL('../../docs/screens/', import.meta.url));
const out = fileURLToPath(new URL('../out/', import.meta.url));
const mostBytes = 250_000, mostAltogether = 6_000_000;
let browser, shop, full, fresh, ids;

before(async () => {
  for (const dir of [kept, out]) mkdirSync(dir, { recursive: true });
  [shop, full, fresh, browser] = await Promise.all([Shop.create(), Studio.start(), Studio.start(), launch()]);
  await full.setup('admin');
  ids = await populate(full, shop);
  await withClient(full, ids.token, (client) => client.listTools(), 'Claude Code');
});
after(async () => {
  await browser?.close();
  await Promise.all([full, fresh].map((studio) => studio?.stop()));
  await shop?.drop();
});

const update = process.env.UPDATE_SCREENS === '1';
let turn = Math.floor(Date.now() / 86_400_000); // the day
/** Whether this picture is made in this run; asked once for each. */
const wanted = (name) => turn++ % 5 === 0 || update || !existsSync(`${kept}${name}.png`);

/** The moment all pictures show. What happened since the studio started, happened some minutes before it. */
const now = new Date('2026-03-02T09:30:00Z');
const started = Date.now();

/** Replaces what differs from run to run: ports, random names, times of this run, ids that are shown. */
function steady(text) {
  return text
    .replaceAll(full.base, 'http://127.0.0.1:3000').replaceAll(fresh.base, 'http://127.0.0.1:3000')
    .replaceAll(shop.name, 'shop').replaceAll(shop.user, 'app_reader')
    .replaceAll(`"port":${shop.port}`, '"port":5432').replaceAll(`:${shop.port}`, ':5432')
    .replaceAll(full.dir, '/var/lib/studio').replaceAll(fresh.dir, '/var/lib/studio')
    .replace(/"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"/g, (all, time) => {
      const at = Date.parse(time);
      return Math.abs(at - started) > 3_600_000 ? all : `"${new Date(now.getTime() - 26.5 * 60_000).toISOString()}"`;
    })
    .replace(/"(\w*ms)":\s*[\d.]+/g, '"$1":4')
    .replace(/"pid":\d+/g, '"pid":4127').replace(/"([ug]id)":[1-9]\d{4}/g, '"$1":64101').replace(/([ug]id) [1-9]\d{4}/g, '$1 64101')
    .replace(/"rss_bytes":\d+/g, '"rss_bytes":22020096').replace(/"threads":\d+/g, '"threads":9').replace(/\b\d+ threads/g, '9 threads')
    .replace(/"id":"[0-9a-f]{8}"/g, '"id":"5f2c91ab"')
    .replace(/"prefix":"(\w{4,6})_?\w*"/g, '"prefix":"mcp_k7Qx2"')
    .replace(/"version":"[^"]+"/g, '"version":"1.0.0"');
}

async function ready(context, studio, address, heading) {
  const page = await watched(context, studio);
  await page.clock.setFixedTime(now);
  // The offer of two-factor is in the picture of the first page only.
  if (address !== '/') await page.addInitScript(() => localStorage.setItem('two-factor-offer', 'declined'));
  await page.route((url) => url.pathname.startsWith('/api/v1/') && !/\/(events|deploy\/logs)$/.test(url.pathname), async (route) => {
    const answer = await route.fetch({ maxRetries: 3 });
    await route.fulfill({ response: answer, body: steady(await answer.text()) });
  });
  // The streams would bring in what the answers above leave out.
  await page.route('**/api/v1/events', () => undefined);
  await page.route('**/api/v1/deploy/logs*', (route) => route.fulfill({ contentType: 'text/event-stream', body: log }));
  await page.goto(`${studio.base}${address}`);
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  await page.evaluate(() => document.fonts.ready);
  await idle(page, heading === 'top_customers' || heading === 'Create tool' ? 900 : 200); // a tool asks the database once nothing was typed for 800 ms
  return page;
}

const line = (id, second, level, source, message) => `event: log\nid: ${id}\ndata: ${JSON.stringify({ id, at: `2026-03-02T09:04:${second}Z`, level, source, message, attrs: {} })}\n\n`;
const log = [
  line(1, '00.102', 'info', 'deploy', 'validate: 4 tools, 1 resource, 1 prompt'), line(2, '00.140', 'info', 'deploy', 'compile: manifest of revision 2'),
  line(3, '00.151', 'info', 'child', 'started, sandbox full'), line(4, '00.320', 'info', 'child', 'connection Orders (production) is reachable'),
  line(5, '00.344', 'warn', 'child', 'connection Reporting is disabled'), line(6, '00.402', 'info', 'deploy', 'health check: tools/list answered 4 tools'),
  line(7, '00.431', 'info', 'deploy', 'traffic switched from revision 1 to revision 2'), line(8, '02.118', 'info', 'call', 'top_customers: 10 rows in 4 ms'),
].join('');

async function shoot(page, name) {
  const path = `${kept}${name}.png`;
  const target = update || !existsSync(path) ? path : `${out}${name}.png`;
  await settled(page);
  await page.screenshot({ path: target, animations: 'disabled', caret: 'hide' });
  assert.ok(statSync(target).size < mostBytes, `${name} has ${statSync(target).size} bytes`);
  assert.deepEqual(page.findings, [], name);
}

/** What a page is shown doing. */
const doing = {
  tool: async (page) => {
    await page.keyboard.press('Control+Enter');
    await page.getByRole('tabpanel').getByRole('row').nth(2).waitFor();
  },
  'connection-schema': async (page) => {
    await page.getByRole('button', { name: /customers/ }).or(page.getByRole('treeitem', { name: /customers/ })).first().click();
    await page.getByText('joined').first().waitFor();
  },
};
const shots = () => pagesOf(ids).filter(([name]) => !['not-found', 'tool-definition', 'tool-history', 'connection-used-by'].includes(name));
const outside = [['login', () => full, '/login', 'Sign in'], ['setup', () => fresh, '/setup', 'Create the admin account']];

for (const theme of ['light', 'dark']) {
  test(`pages, ${theme}`, async () => {
    const context = await visit(browser, full, { theme, viewport: wide });
    for (const [name, address, heading] of shots()) {
      if (!wanted(`${name}-${theme}`)) continue;
      const page = await ready(context, full, address, heading);
      await doing[name]?.(page);
      await idle(page);
      await shoot(page, `${name}-${theme}`);
      await page.close();
    }
    const stranger = await visit(browser, full, { theme, viewport: wide, signedIn: false });
    for (const [name, studio, address, heading] of outside) {
      if (!wanted(`${name}-${theme}`)) continue;
      const page = await ready(stranger, studio(), address, heading);
      await shoot(page, `${name}-${theme}`);
      await page.close();
    }
    if (wanted(`palette-${theme}`)) {
      const palette = await ready(context, full, '/tools', 'Tools');
      await palette.keyboard.press('Control+k');
      await palette.getByRole('combobox', { name: 'Search or run a command' }).waitFor();
      await idle(palette);
      await shoot(palette, `palette-${theme}`);
    }
    await context.close();
    await stranger.close();
  });
}

test('pages on a phone, dark', async () => {
  const context = await visit(browser, full, { theme: 'dark', viewport: phone });
  for (const [name, address, heading] of shots()) {
    if (!wanted(`${name}-mobile-dark`)) continue;
    const page = await ready(context, full, address, heading);
    await shoot(page, `${name}-mobile-dark`);
    await page.close();
  }
  const stranger = await visit(browser, full, { theme: 'dark', viewport: phone, signedIn: false });
  for (const [name, studio, address, heading] of outside) {
    if (!wanted(`${name}-mobile-dark`)) continue;
    const page = await ready(stranger, studio(), address, heading);
    await shoot(page, `${name}-mobile-dark`);
    await page.close();
  }
  await context.close();
  await stranger.close();
});

test('the pictures together stay small', () => {
  const sizes = readdirSync(kept).filter((name) => name.endsWith('.png')).map((name) => statSync(kept + name).size);
  const sum = sizes.reduce((a, b) => a + b, 0);
  assert.ok(sum < mostAltogether, `${sizes.length} pictures have ${sum} bytes`);
});
