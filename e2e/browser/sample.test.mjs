// From the link that the server printed to rows in a real MCP client, on the sample shop.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hand, launch, visit, watched } from '../lib/browser.mjs';
import { withClient } from '../lib/mcp.mjs';
import { Stopwatch } from '../lib/stopwatch.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, page, hand, watch, token;
const password = 'correct horse battery 7';

before(async () => {
  studio = await Studio.start();
  browser = await launch();
  const context = await visit(browser, studio, { signedIn: false });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: studio.base });
  page = await watched(context, studio);
  hand = new Hand(page);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const heading = (name) => page.getByRole('heading', { level: 1, name });

test('the setup link leads to the running sample with Enter alone', async () => {
  const code = await studio.setupCode();
  watch = new Stopwatch();
  await page.goto(`${studio.base}/setup#code=${code}`);
  await heading('Create the admin account').waitFor();
  assert.ok(!page.url().includes(code), 'the code stays in the address bar');
  await hand.type(password);
  await hand.press('Enter');
  await heading('Keep a copy of the encryption key').waitFor();
  await hand.press('Enter');
  await heading('What do you want to start with?').waitFor();
  await hand.press('Enter');
  await page.waitForURL(`${studio.base}/`);
  await heading('Home').waitFor();
});

test('the first call succeeds after at most 6 actions and 15 seconds', async () => {
  await hand.click(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Connect$/ }));
  await hand.click(page.getByRole('button', { name: /^Call / }));
  await page.getByText('It works').waitFor();
  const result = page.getByRole('region', { name: 'Result of the call' }).or(page.getByLabel('Result of the call')).first();
  assert.match(await result.textContent(), /"row_count"/);
  assert.ok(hand.actions <= 6, `${hand.actions} actions: ${hand.log.join(', ')}`);
  assert.ok(watch.elapsed <= 15_000, `${watch.elapsed} ms`);
});

test('a token made on the page lets a real client in, also within 6 actions, and the page turns green', async () => {
  await page.getByText('Waiting for the client').waitFor();
  await hand.click(page.getByRole('button', { name: 'Create token' }));
  await hand.click(page.getByRole('button', { name: 'Copy token' }));
  const actions = hand.log.filter((action) => !/Call /.test(action)); // the call on the page is the other way to a first result
  assert.ok(actions.length <= 6, `${actions.length} actions: ${actions.join(', ')}`);
  token = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(token.length > 30, token);

  await withClient(studio, token, async (client) => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name).sort(), ['orders_by_status', 'search_products', 'top_customers']);
    const called = await client.callTool({ name: 'top_customers', arguments: {} });
    assert.ok(!called.isError, JSON.stringify(called));
    assert.ok(called.structuredContent.row_count > 0, JSON.stringify(called));
  }, 'sample-test');

  // Uses of a token are written in batches of a second: the list may arrive after the first request.
  const check = page.getByRole('status').filter({ hasText: 'listed 3 tools' });
  await check.waitFor();
  assert.match(await check.textContent(), /sample-test.*connected.*listed 3 tools/s);
});

test('after "I stored it" the token is nowhere on the page', async () => {
  await page.getByRole('button', { name: 'I stored it' }).click();
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  assert.ok(!(await page.content()).includes(token));
});

test('the sample is removed with one click and can be brought back', async () => {
  await page.getByRole('link', { name: 'Home' }).first().click();
  await heading('Home').waitFor();
  await page.getByRole('button', { name: 'Remove the sample' }).click();
  await page.getByRole('button', { name: 'Add the sample' }).waitFor();
  studio.cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  assert.equal((await studio.api('GET', 'tools')).total, 0);
  assert.equal((await studio.api('GET', 'connections')).total, 0);
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'stopped', 'the server to stop');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Remove the sample' }).waitFor();
  assert.equal((await studio.api('GET', 'tools')).total, 3);
});

test('nothing went wrong on the way', () => assert.deepEqual(page.findings, []));
