// From an own PostgreSQL to a tool that a real client calls, once from typed SQL and once from a table.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Hand, launch, visit, watched } from '../lib/browser.mjs';
import { draftKept } from '../lib/drafts.mjs';
import { withClient } from '../lib/mcp.mjs';
import { Shop } from '../lib/shop.mjs';
import { Stopwatch } from '../lib/stopwatch.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, page, shop, hand, watch;
const sql = 'SELECT id, name, country FROM customers WHERE joined >= :since ORDER BY id LIMIT 5';

before(async () => {
  shop = await Shop.create();
  studio = await Studio.start();
  await studio.setup();
  browser = await launch();
  const context = await visit(browser, studio);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: studio.base });
  page = await watched(context, studio);
  hand = new Hand(page);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
  await shop?.drop();
});

const heading = (name) => page.getByRole('heading', { level: 1, name });
const button = (name) => page.getByRole('button', { name });
const nav = (name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });

test('a wrong password fails at its step, with the words of the database; a test needs no name yet', async () => {
  await page.goto(`${studio.base}/connections/new`);
  await heading('Create connection').waitFor();
  await page.getByLabel('Host', { exact: true }).fill(shop.host);
  await page.getByLabel('Port', { exact: true }).fill(String(shop.port));
  await page.getByLabel('Database', { exact: true }).fill(shop.name);
  await page.getByLabel('User', { exact: true }).fill(shop.user);
  await page.getByLabel('Password', { exact: true }).fill('not this one');
  await page.keyboard.press('Control+Enter');
  const steps = page.getByRole('list', { name: 'Connection test' });
  const failed = steps.getByRole('listitem').filter({ hasText: 'Sign in, failed' });
  await failed.waitFor();
  assert.match(await failed.innerText(), /password authentication failed/);
  assert.match(await steps.innerText(), /Connect\s*, done/);
  await page.getByText('It can be saved as it is.').waitFor();
  await draftKept(page, shop.name);
});

test('a pasted URL, a test with all its steps, and Ctrl+S make the connection', async () => {
  await page.goto('about:blank');
  await page.goto(`${studio.base}/connections/new`);
  await heading('Create connection').waitFor();
  const discard = page.getByRole('button', { name: 'Discard draft' }); // what the test before typed is offered as a draft
  await discard.waitFor();
  await discard.click();
  watch = new Stopwatch();
  await hand.click(button('Paste a connection URL'));
  await page.getByRole('dialog').waitFor();
  await hand.type(shop.url);
  await hand.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Host', { exact: true }).inputValue(), shop.host);
  assert.equal(await page.getByLabel('Database', { exact: true }).inputValue(), shop.name);
  await hand.write(page.getByLabel('Name', { exact: true }), 'Shop');
  await hand.press('Control+Enter');
  await page.getByText(/^Succeeded in/).waitFor();
  const steps = await page.getByRole('list', { name: 'Connection test' }).getByRole('listitem').allInnerTexts();
  for (const step of ['Resolve', 'Connect', 'Sign in', 'Select database', 'Read schema']) {
    assert.ok(steps.some((text) => text.startsWith(step) && /, done/.test(text)), `${step} in ${steps.join(' / ')}`);
  }
  await hand.press('Control+s');
  await page.waitForURL(/\/connections\/[\w-]{36}/);
  await heading('Shop').waitFor();
});

test('typed SQL becomes a tool: parameters appear, the preview has rows, and it is deployed, in at most 14 actions', async () => {
  await hand.click(nav(/^Tools/));
  await heading('Tools').waitFor();
  await hand.press('c');
  await heading('Create tool').waitFor();
  await hand.click(page.getByRole('textbox', { name: /^SQL query/ }));
  await hand.type(sql);
  await page.getByRole('button', { name: ':since date' }).waitFor();
  await hand.write(page.getByLabel('Test value for since'), '2026-01-10');
  await hand.write(page.getByLabel('Name', { exact: true }), 'customers_since');
  await hand.write(page.getByLabel('Description for the model'), 'Customers that joined since a day.');
  await hand.press('Control+Enter');
  const rows = page.getByRole('tabpanel', { name: 'Preview' }).getByRole('row');
  await rows.nth(5).waitFor();
  assert.match(await rows.nth(1).innerText(), /Customer 9\s+\w\w/);
  await hand.click(button('More actions'));
  await hand.click(page.getByRole('menuitem', { name: 'Save and deploy' }));
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the tool to serve');
  assert.ok(watch.elapsed <= 30_000, `${watch.elapsed} ms`);
  assert.ok(hand.actions <= 14, `${hand.actions} actions: ${hand.log.join(', ')}`);
});

test('the page says that the tool is live', async () => {
  await page.getByRole('banner').getByText(/^Live/).waitFor();
  await page.getByRole('main').getByText('Live', { exact: true }).first().waitFor();
});

test('a real client gets what psql gets', async () => {
  await nav(/^Connect$/).click();
  await button('Create token').click();
  await button('Copy token').click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  const { rows } = await shop.query("SELECT id::text, name, country FROM customers WHERE joined >= '2026-02-01' ORDER BY customers.id LIMIT 5");
  await withClient(studio, token, async (client) => {
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name), ['customers_since']);
    assert.deepEqual(Object.keys(tools[0].inputSchema.properties), ['since']);
    assert.equal(tools[0].inputSchema.properties.since.format, 'date');
    const result = await client.callTool({ name: 'customers_since', arguments: { since: '2026-02-01' } });
    assert.deepEqual(result.structuredContent.rows.map((r) => ({ ...r, id: String(r.id) })), rows);
  }, 'postgres-test');
  await page.getByRole('status').filter({ hasText: /postgres-test.*connected/ }).waitFor();
});

test('from a table to a token takes at most 14 actions too', async () => {
  await studio.api('DELETE', `tools/${(await studio.api('GET', 'tools')).items[0].id}`);
  await studio.api('DELETE', `connections/${(await studio.api('GET', 'connections')).items[0].id}`);
  await page.goto(`${studio.base}/connections/new`);
  await heading('Create connection').waitFor();
  hand = new Hand(page);
  await hand.click(button('Paste a connection URL'));
  await page.getByRole('dialog').waitFor();
  await hand.type(shop.url);
  await hand.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await hand.write(page.getByLabel('Name', { exact: true }), 'Shop again');
  await hand.press('Control+s');
  await page.waitForURL(/\/connections\/[\w-]{36}/);
  await hand.click(page.getByRole('tab', { name: 'Schema' }));
  await hand.click(page.getByRole('button', { name: /customers/ }).or(page.getByRole('treeitem', { name: /customers/ })).first());
  await hand.click(page.getByRole('link', { name: 'Create tool from this table' }).or(button('Create tool from this table')).first());
  await page.waitForURL(/\/tools\/new/);
  await page.getByRole('button', { name: /^:limit/ }).waitFor();
  assert.notEqual(await page.getByLabel('Name', { exact: true }).inputValue(), '');
  await hand.press('Control+Enter');
  await page.getByRole('tabpanel', { name: 'Preview' }).getByRole('row').nth(3).waitFor();
  await hand.click(button('More actions'));
  await hand.click(page.getByRole('menuitem', { name: 'Save and deploy' }));
  await studio.until(async () => {
    const s = await studio.api('GET', 'deploy/status');
    return s.status === 'running' && s.undeployed_changes === 0 && s.tools === 1;
  }, 'the tool to serve');
  await hand.click(nav(/^Connect$/));
  await hand.click(button('Create token'));
  await hand.click(button('Copy token'));
  const token = await page.evaluate(() => navigator.clipboard.readText());
  await withClient(studio, token, async (client) => {
    const { tools } = await client.listTools();
    const result = await client.callTool({ name: tools[0].name, arguments: {} });
    assert.ok(!result.isError && result.structuredContent.row_count > 0, JSON.stringify(result));
  });
  assert.ok(hand.actions <= 14, `${hand.actions} actions: ${hand.log.join(', ')}`);
});

test('nothing went wrong on the way', () => assert.deepEqual(page.findings, []));
