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

test('a snippet without a token says so; with one, all of it is filled in', async () => {
  await page.goto(`${studio.base}/connect?client=vscode`);
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  await page.getByText(/secret storage: \{\{TOKEN\}\}/).waitFor();
  await page.getByRole('tab', { name: 'Claude Code' }).click();
  await page.getByRole('button', { name: 'Copy without a token' }).waitFor();
  await page.getByText('{{TOKEN}} stands for the token').waitFor();
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByRole('button', { name: 'Copy', exact: true }).waitFor();
  assert.equal(await page.getByText('{{TOKEN}}').count(), 0);
  await page.getByRole('tab', { name: 'VS Code' }).click();
  await page.getByText(/secret storage: (?!\{\{)\w+/).waitFor();
  await page.getByRole('button', { name: 'I stored it' }).click();
});

test('a server that asks for no token offers none, and does not wait for one', async () => {
  const set = async (auth_type) => studio.api('PATCH', 'server/config', { version: (await studio.api('GET', 'server/config')).version, auth_type, auth_none_confirmed: true });
  await set('none');
  await page.goto(`${studio.base}/connect`);
  await page.getByRole('region', { name: 'Check connection' }).getByText('No token is asked for').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Create token' }).count(), 0);
  await set('bearer');
  await page.reload();
  await page.getByRole('button', { name: 'Create token' }).waitFor();
});

test('a token that is revoked is no longer shown, nor in the snippet', async () => {
  await page.goto(`${studio.base}/connect`);
  await page.getByRole('textbox', { name: 'Token for this client' }).fill('Shortlived');
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByRole('region', { name: 'Token Shortlived' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Shortlived' }).getByRole('button', { name: /^Revoke/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke token' }).click();
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Token Shortlived' }).count(), 0);
  await page.getByRole('button', { name: 'Copy without a token' }).waitFor();
});

test('a suggested name that comes late does not change what is being typed', async () => {
  const made = (await studio.api('GET', 'mcp-tokens')).items.map((token) => token.name);
  if (!made.includes('Claude Code')) await studio.api('POST', 'mcp-tokens', { name: 'Claude Code' });
  let answer;
  const held = new Promise((done) => { answer = done; });
  await page.route('**/api/v1/mcp-tokens?*', async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${studio.base}/connect`);
  const name = page.getByRole('textbox', { name: 'Token for this client' });
  await name.focus();
  const suggested = await name.inputValue();
  answer(); // the names that are taken
  await page.getByRole('listitem').filter({ hasText: 'Claude Code' }).first().waitFor();
  assert.equal(await name.inputValue(), suggested);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Mine');
  assert.equal(await name.inputValue(), 'Mine');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('Enter after a parameter is a new line, and no keyword takes the place of its name', async () => {
  const { id } = (await studio.api('GET', 'connections')).items.find((c) => c.db_type === 'postgresql');
  await page.goto(`${studio.base}/tools/new?connection=${id}`);
  const editor = page.getByRole('textbox', { name: /^SQL query/ });
  await editor.click();
  await page.keyboard.type('SELECT 1 AS n WHERE 1 = :since', { delay: 20 });
  await page.waitForTimeout(500); // a list of completions opens within this time, and takes keys after 75 ms
  await page.keyboard.press('Enter');
  await page.keyboard.type('LIM', { delay: 20 });
  await page.getByRole('option', { name: 'LIMIT', exact: true }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await editor.innerText()).trim(), 'SELECT 1 AS n WHERE 1 = :since\nLIM');
});

test('with nothing made yet, the page of deploys finds no fault', async () => {
  const other = await Studio.start();
  try {
    await other.setup();
    const visitor = await visit(browser, other);
    const empty = await watched(visitor, other);
    await empty.goto(`${other.base}/deploy`);
    await empty.getByText('Nothing to deploy yet').waitFor();
    assert.equal(await empty.getByRole('main').getByText('Error', { exact: true }).count(), 0);
    await visitor.close();
  } finally {
    await other.stop();
  }
});

/** What has the focus, once it has come to rest. */
const holder = async () => {
  await page.waitForTimeout(400);
  return page.evaluate(() => {
    const e = document.activeElement;
    return { body: e === document.body, listed: e?.closest('tbody') !== null, text: e?.getAttribute('aria-label') ?? e?.textContent ?? '', around: e?.closest('section[aria-label], section[aria-labelledby]')?.textContent ?? '' };
  });
};

test('the focus stays near when what had it is gone', async () => {
  for (const name of ['First', 'Second']) await studio.api('POST', 'mcp-tokens', { name });
  await page.goto(`${studio.base}/connect`);
  await page.getByRole('button', { name: /Create token/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'I stored it' }).waitFor();
  assert.match((await holder()).around, /You will not see it again/);
  await page.getByRole('button', { name: 'I stored it' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  assert.equal((await holder()).body, false);

  await page.getByRole('listitem').filter({ hasText: 'First' }).getByRole('button', { name: /^Revoke/ }).focus();
  await page.keyboard.press('Enter');
  const asked = page.getByRole('alertdialog');
  await asked.getByRole('button', { name: 'Revoke token' }).focus();
  await page.keyboard.press('Enter');
  await asked.waitFor({ state: 'detached' });
  await page.getByRole('listitem').filter({ hasText: 'First' }).waitFor({ state: 'detached' });
  assert.match((await holder()).text, /^Revoke/);

  const { id } = (await studio.api('GET', 'tools')).items.find((t) => t.name === 'monthly_revenue');
  await studio.api('POST', `tools/${id}/duplicate`, {});
  await page.goto(`${studio.base}/tools`);
  const row = page.getByRole('row').filter({ hasText: 'monthly_revenue_copy' });
  await row.getByRole('button', { name: /^Actions for/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).focus();
  await page.keyboard.press('Enter');
  await row.waitFor({ state: 'detached' });
  assert.equal((await holder()).listed, true, 'the focus left the list');
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
