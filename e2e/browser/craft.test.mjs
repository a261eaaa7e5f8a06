// What a demanding eye and a hurried hand would send back: names that are long, presses that come twice, targets that are small.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, phone, visit, watched } from '../lib/browser.mjs';
import { Studio } from '../lib/studio.mjs';

const long = 'Warehouse of the northern subsidiary, replica for reporting (read only, refreshed every night)';
let studio, browser, context, page;

before(async () => {
  [studio, browser] = await Promise.all([Studio.start(), launch()]);
  await studio.setup();
  await studio.api('POST', 'sample', {});
  await studio.until(
    async () => (await studio.api('GET', 'deploy/status')).status === 'running',
    'the sample to serve',
  );
  const connection = await studio.api('POST', 'connections', {
    name: long,
    db_type: 'postgresql',
    host: 'warehouse-replica-1.northern-subsidiary.internal.example.com',
    database: 'a_database_with_a_rather_long_name',
    username: 'reader',
  });
  await studio.api('POST', 'tools', {
    connection_id: connection.id,
    name: 'monthly_revenue',
    description: 'Revenue by month.',
    sql_query: 'SELECT 1 AS one',
    tags: ['finance', 'a tag that says too much about it', 'third'],
  });
  context = await visit(browser, studio);
  page = await watched(context, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const heading = (name) => page.getByRole('heading', { level: 1, name, exact: true });
/** Every writing request takes a while, as over a slow line: a second press comes before the first is answered. */
const slowly = (route) =>
  new Promise((done) => setTimeout(done, route.request().method() === 'GET' ? 0 : 400))
    .then(() => route.continue())
    .catch(() => undefined);

for (const [list, name, says] of [
  ['/tools', 'monthly_revenue', 'monthly_revenue'],
  ['/connections', 'Sample shop', long],
]) {
  test(`${list}: long names leave every column on the screen, and say all of themselves on hover`, async () => {
    await page.goto(`${studio.base}${list}`);
    await page.getByRole('link', { name, exact: true }).waitFor();
    const table = page.getByRole('table');
    const { x, width } = await table.locator('xpath=..').boundingBox();
    for (const actions of await table.getByRole('button', { name: /^Actions for/ }).all()) {
      const box = await actions.boundingBox();
      assert.ok(
        box.x + box.width <= x + width,
        `${await actions.getAttribute('aria-label')} ends at ${box.x + box.width}, the table at ${x + width}`,
      );
    }
    const link = page.getByRole('link', { name: says, exact: true });
    assert.ok((await link.boundingBox()).width > 100, 'the name has no room');
    assert.equal(await link.getAttribute('title'), says);
  });
}

test('typing over a selection in the editor breaks no policy, and a bracket goes around it', async () => {
  const tool = (await studio.api('GET', 'tools')).items.find((t) => t.name === 'top_customers');
  await page.goto(`${studio.base}/tools/${tool.id}`);
  await heading('top_customers').waitFor();
  const editor = page.getByRole('textbox', { name: /^SQL query/ });
  const text = () => editor.innerText();
  await editor.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('SELECT 1');
  await page.keyboard.press('Escape'); // the completions
  assert.equal((await text()).trim(), 'SELECT 1');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.type('(');
  assert.equal((await text()).trim(), '(SELECT 1)');
  await page.keyboard.press('Control+z');
  assert.equal((await text()).trim(), 'SELECT 1');
  assert.deepEqual(page.findings, []);
});

test('pressed twice, made once', async () => {
  page.on('dialog', (dialog) => dialog.accept()); // leaves what the test before typed
  await page.route('**/api/v1/**', slowly);
  await page.goto(`${studio.base}/connect`);
  await page.getByRole('button', { name: 'Create token' }).dblclick();
  await page.getByRole('button', { name: 'I stored it' }).waitFor();
  assert.equal((await studio.api('GET', 'mcp-tokens')).total, 1);

  await page.goto(`${studio.base}/connections/new`);
  await page.getByLabel('Name', { exact: true }).fill('Once');
  await page.getByLabel('Host', { exact: true }).fill('db.example.org');
  await page.getByLabel('Database', { exact: true }).fill('shop');
  await page.getByLabel('User', { exact: true }).fill('reader');
  await page.getByRole('button', { name: 'Save connection' }).first().dblclick();
  await heading('Once').waitFor();
  const named = (await studio.api('GET', 'connections')).items.filter((c) => c.name.startsWith('Once'));
  assert.equal(named.length, 1);

  const { revision } = await studio.api('GET', 'deploy/status');
  await page.goto(`${studio.base}/deploy`);
  await page.getByRole('button', { name: 'Stop server' }).click();
  const asked = page.getByRole('alertdialog');
  let stops = 0;
  page.on('request', (r) => {
    if (r.method() !== 'GET' && /deploy|server/.test(r.url())) stops++;
  });
  await asked.getByRole('button', { name: 'Stop server' }).dblclick();
  await asked.waitFor({ state: 'detached' });
  assert.equal(stops, 1, 'requests to stop');
  await page.getByRole('button', { name: /^Deploy/ }).dblclick();
  await studio.until(
    async () => (await studio.api('GET', 'deploy/status')).status === 'running',
    'the new revision to serve',
  );
  assert.equal((await studio.api('GET', 'deploy/status')).revision, revision + 1);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('what a finger presses is 44 pixels high', async () => {
  const touch = await browser.newContext({
    viewport: phone,
    hasTouch: true,
    isMobile: true,
    storageState: await context.storageState(),
  });
  const hand = await watched(touch, studio);
  const small = [];
  for (const address of [
    '/',
    '/connections',
    '/connections/new',
    '/tools',
    '/deploy',
    '/connect',
    '/security',
    '/settings/general',
    '/account',
  ]) {
    await hand.goto(`${studio.base}${address}`);
    await hand.getByRole('heading', { level: 1 }).waitFor();
    await hand.waitForTimeout(400);
    small.push(
      ...(await hand.evaluate(
        (at) =>
          [
            ...document.querySelectorAll(
              'button, [role="tab"], [role="switch"], [role="combobox"], input:not([type="hidden"])',
            ),
          ].flatMap((e) => {
            const { width, height } = e.getBoundingClientRect();
            // A fieldset of choices is one target of 44 px; what is clipped is for the keyboard, or for a reader of the screen.
            if (
              width <= 1 ||
              height <= 1 ||
              getComputedStyle(e).clipPath !== 'none' ||
              e.closest('thead, fieldset, [aria-hidden="true"]')
            )
              return [];
            return height >= 43.5
              ? []
              : [`${at}: ${e.getAttribute('aria-label') ?? e.textContent} is ${Math.round(height)} px high`];
          }),
        address,
      )),
    );
  }
  await touch.close();
  assert.deepEqual(small, []);
});

test('nothing went wrong on the way', () => assert.deepEqual(page.findings, []));
