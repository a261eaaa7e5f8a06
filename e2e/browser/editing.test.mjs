// Every form but the tool's (keyboard.test.mjs): drafts, conflicts and leaving are the same everywhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { idle, launch, visit, watched } from '../lib/browser.mjs';
import { draftGone, draftKept, drafts } from '../lib/drafts.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, context, page, connection;
const keeping = 1_000; // a draft is written after 800 ms

before(async () => {
  [studio, browser] = await Promise.all([Studio.start(), launch()]);
  await studio.setup();
  connection = await studio.api('POST', 'connections', {
    name: 'Orders', db_type: 'postgresql', host: 'db.example.org', database: 'orders', username: 'reader', password: 'secret of the database',
  });
  context = await visit(browser, studio);
  page = await watched(context, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const button = (name) => page.getByRole('button', { name });
const heading = (name) => page.getByRole('heading', { level: 1, name });
const bar = () => page.getByRole('alert').filter({ hasText: 'changed by' });
const stored = () => studio.api('GET', `connections/${connection.id}`);
const config = () => studio.api('GET', 'server/config');

async function openConnection() {
  await page.goto(`${studio.base}/connections/${connection.id}`);
  await heading('Orders').waitFor();
  await page.getByLabel('Host').waitFor();
}

async function openSettings(section) {
  await page.goto(`${studio.base}/settings/${section}`);
  await button('Save').waitFor();
}

test('a connection changed elsewhere while nothing was typed is shown at once; while something was, it is reviewed', async () => {
  await openConnection();
  await studio.api('PATCH', `connections/${connection.id}`, { version: (await stored()).version, max_rows: 500 });
  await page.getByRole('main').getByText('version 2').waitFor();
  assert.equal(await bar().count(), 0);

  await page.getByLabel('Database').fill('mine');
  await page.getByLabel('User', { exact: true }).fill('mine');
  await studio.api('PATCH', `connections/${connection.id}`, { version: 2, username: 'theirs', max_rows: 600, password: null });
  await bar().waitFor();
  await page.keyboard.press('Control+s');
  await idle(page, 300);
  assert.deepEqual([(await stored()).version, (await stored()).username], [3, 'theirs'], 'overwritten without a review');

  await button('Review differences').click();
  const review = page.getByRole('dialog', { name: 'Review differences' });
  await review.getByRole('button', { name: 'Save these' }).click();
  await review.getByRole('alert').getByText('User').waitFor(); // both changed it: nothing is decided for anybody
  await review.getByRole('group', { name: /^Which User/ }).getByText('Use mine').click();
  await review.getByRole('button', { name: 'Save these' }).click();
  await review.waitFor({ state: 'detached' });
  const now = await studio.until(async () => { const c = await stored(); return c.version === 4 && c; }, 'the merged connection');
  assert.deepEqual([now.database, now.username, now.max_rows], ['mine', 'mine', 600]);
  await page.getByRole('main').getByText('version 4').waitFor();
  assert.equal(await bar().count(), 0);
});

test('a draft that is older than what is stored comes back as a conflict, never as an overwrite', async () => {
  await openConnection();
  await page.getByLabel('Host').fill('draft.example.org');
  await draftKept(page, 'draft.example.org');
  await page.goto(`${studio.base}/tools`);
  const { version } = await stored();
  await studio.api('PATCH', `connections/${connection.id}`, { version, host: 'newer.example.org' });
  await openConnection();
  await page.getByText(`Version ${version + 1} was saved since.`).waitFor();
  assert.equal(await page.getByLabel('Host').inputValue(), 'newer.example.org', 'applied by itself');

  await button('Show differences').click();
  const shown = page.getByRole('dialog', { name: /^Draft from/ });
  assert.match(await shown.innerText(), /newer\.example\.org[\s\S]*draft\.example\.org/);
  await shown.getByRole('button', { name: 'Restore draft' }).click();
  assert.equal(await page.getByLabel('Host').inputValue(), 'draft.example.org');
  await bar().waitFor();
  await button('Discard mine').click();
  assert.equal(await page.getByLabel('Host').inputValue(), 'newer.example.org');
  await idle(page, keeping);
  await draftGone(page, 'draft.example.org');
  await page.reload();
  await page.getByLabel('Host').waitFor();
  await idle(page);
  assert.equal(await button('Restore draft').count(), 0, 'a discarded draft is offered again');
});

test('what is typed beside an open offer replaces neither', async () => {
  await openConnection();
  await page.getByLabel('Name', { exact: true }).fill('First draft');
  await draftKept(page, 'First draft');
  await page.reload();
  await button('Restore draft').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('Second draft');
  await draftKept(page, 'Second draft');
  await page.reload();
  await button('Restore draft').click();
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Second draft');
  await button('Restore draft').click(); // the first one is offered next
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'First draft');
  await page.getByLabel('Name', { exact: true }).fill('Orders');
  await idle(page, keeping);
  await draftGone(page, 'First draft');
});

test('leaving asks, Save and leave saves, and a typed secret is in no draft', async () => {
  await openConnection();
  await page.getByLabel('Tags').fill('kept');
  await page.getByRole('link', { name: /^Tools/ }).first().click();
  const asked = page.getByRole('alertdialog', { name: 'Orders has unsaved changes' });
  await asked.getByRole('button', { name: 'Save and leave' }).click();
  await heading('Tools').waitFor();
  assert.deepEqual((await stored()).tags, ['kept']);

  await openConnection();
  assert.equal(await button('Restore draft').count(), 0, 'what was saved is offered as a draft');
  await page.getByLabel('Password', { exact: true }).fill('never to be kept');
  await page.getByLabel('Tags').fill('other');
  await draftKept(page, 'other');
  assert.doesNotMatch(await drafts(page), /never to be kept/); // case: no secret in the browser's storage
  await page.getByRole('link', { name: /^Tools/ }).first().click();
  await page.getByRole('alertdialog').getByText(/you typed is not kept/).waitFor();
  await button('Leave without saving').click();
  await heading('Tools').waitFor();
});

test('what was typed a moment before a reload is kept, of a form and of test values', async () => {
  await openConnection();
  await idle(page); // the drafts of before are read
  await page.getByLabel('Host').fill('last-moment.example.org');
  await page.reload();
  await button('Restore draft').click();
  assert.equal(await page.getByLabel('Host').inputValue(), 'last-moment.example.org');
  await page.getByLabel('Host').fill((await stored()).host);
  await idle(page, keeping);
  await draftGone(page, 'last-moment.example.org');

  const tool = await studio.api('POST', 'tools', {
    connection_id: connection.id, name: 'since', description: 'Rows since a day.', sql_query: 'SELECT :since AS since', parameters: [{ name: 'since', param_type: 'string', description: '', is_required: true, sort_order: 0 }],
  });
  await page.goto(`${studio.base}/tools/${tool.id}`);
  await page.getByLabel('Test value for since').waitFor();
  await idle(page);
  await page.getByLabel('Test value for since').fill('last moment');
  await page.reload();
  await page.getByLabel('Test value for since').waitFor();
  await idle(page);
  assert.equal(await page.getByLabel('Test value for since').inputValue(), 'last moment');
});

test('settings: a draft is offered, a change elsewhere is reviewed, nobody is overwritten', async () => {
  await openSettings('general');
  await page.getByLabel('Server name').fill('name-of-mine');
  await draftKept(page, 'name-of-mine');
  await page.reload();
  await button('Restore draft').click();
  assert.equal(await page.getByLabel('Server name').inputValue(), 'name-of-mine');

  // Another section: nothing this form shows was changed, so there is nothing to review.
  await studio.api('PATCH', 'server/config', { version: (await config()).version, global_variables: { currency: 'EUR' } });
  await page.getByRole('main').getByText('version 2').waitFor();
  assert.equal(await bar().count(), 0);
  await studio.api('PATCH', 'server/config', { version: 2, server_name: 'theirs', log_level: 'debug' });
  await bar().waitFor();
  await page.keyboard.press('Control+s');
  await idle(page, 300);
  assert.equal((await config()).server_name, 'theirs', 'overwritten without a review');
  await button('Review differences').click();
  const review = page.getByRole('dialog', { name: 'Review differences' });
  await review.getByRole('group', { name: /^Which Server name/ }).getByText('Use mine').click();
  await review.getByRole('button', { name: 'Save these' }).click();
  await page.getByText('Everything is saved').waitFor();
  const now = await config();
  assert.deepEqual([now.server_name, now.log_level, now.global_variables.currency], ['name-of-mine', 'debug', 'EUR']);
});

test('variables: leaving asks, also for the other section', async () => {
  await openSettings('variables');
  await page.getByLabel('Value of currency').fill('USD');
  await page.getByRole('tab', { name: 'General' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Save and leave' }).click();
  await page.getByLabel('Server name').waitFor();
  assert.equal((await config()).global_variables.currency, 'USD');
  await openSettings('variables');
  assert.equal(await page.getByText('Unsaved changes').count(), 0);
  assert.equal(await button('Restore draft').count(), 0);
});

test('the setup page shows its shape while it asks the server, and a way on when there is no answer', async () => {
  const other = await watched(await visit(browser, studio, { signedIn: false }), studio);
  let fail = true;
  let answer;
  const held = new Promise((done) => { answer = done; });
  await other.route('**/api/v1/auth/status', async (route) => {
    await held;
    if (fail) await route.fulfill({ status: 500, contentType: 'application/json', body: '{"detail":"the store cannot be read","code":"internal","fields":{}}' });
    else await route.continue();
  });
  await other.goto(`${studio.base}/setup`);
  await other.locator('[aria-busy="true"]').waitFor();
  await other.getByRole('heading', { level: 1 }).waitFor();
  answer();
  await other.getByRole('alert').getByText('The store cannot be read').waitFor();
  fail = false;
  await other.getByRole('button', { name: 'Retry' }).click();
  await other.waitForURL(`${studio.base}/login`);
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(page.findings, []);
});
