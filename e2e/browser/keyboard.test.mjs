// The main job by keyboard alone, and nothing typed is ever lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { focused, idle, launch, tabRound, visit, watched } from '../lib/browser.mjs';
import { draftKept } from '../lib/drafts.mjs';
import { caller, withClient } from '../lib/mcp.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, context, page;
const password = 'correct horse battery 7';

before(async () => {
  studio = await Studio.start();
  browser = await launch();
  context = await visit(browser, studio, { signedIn: false });
  page = await watched(context, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
/** A key and at once another: both are on their way before the page answers, as a pause would end the sequence. */
const sequence = (first, second) => Promise.all([press(first), press(second)]);
const heading = (name) => page.getByRole('heading', { level: 1, name });
const dialog = (name) => page.getByRole('dialog', { name });

/** Tab until the wanted element has the focus: no mouse, and no more stops than a person would bear. */
async function tabTo(name, most = 80) {
  for (let n = 0; n < most; n++) {
    await press('Tab');
    const stop = await focused(page);
    if (!stop.body && !stop.parts) assert.ok(stop.visible, `the focus is not visible on ${stop.name}`);
    if (name.test(stop.name)) return;
  }
  assert.fail(`${name} was not reached in ${most} stops`);
}

/** Runs a command of the palette by typing a part of its name. */
async function palette(text) {
  await press('Control+k');
  await page.getByRole('combobox', { name: 'Search or run a command' }).waitFor();
  await page.keyboard.type(text);
  await page.getByRole('option').first().waitFor();
  await press('Enter');
}

test('from setup to a call, by keyboard', async () => {
  await page.goto(`${studio.base}/setup#code=${await studio.setupCode()}`);
  await heading('Create the admin account').waitFor();
  await page.keyboard.type(password);
  await press('Enter');
  await heading('Keep a copy of the encryption key').waitFor();
  await press('Enter');
  await heading('What do you want to start with?').waitFor();
  await press('Enter');
  await heading('Home').waitFor();
  await palette('go to connect');
  await heading('Connect').waitFor();
  await page.getByRole('button', { name: /^Call / }).waitFor();
  await tabTo(/^button Call /);
  await press('Enter');
  await page.getByText('It works').waitFor();
  [studio.cookie] = (await context.cookies()).filter((c) => c.name === 'studio_session').map((c) => `${c.name}=${c.value}`);
});

test('g and a letter lead to each page, and the focus goes to its heading', async () => {
  for (const [key, name] of [['t', 'Tools'], ['c', 'Connections'], ['y', 'Deploy'], ['d', 'Home']]) {
    await sequence('g', key);
    await heading(name).waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
  }
  await press('Control+Shift+d');
  await heading('Deploy').waitFor();
});

test('the palette finds tools, and Escape gives the focus back', async () => {
  await sequence('g', 'd');
  await heading('Home').waitFor();
  await tabTo(/Connections/);
  const before = await focused(page);
  await press('Control+k');
  await page.getByRole('combobox', { name: 'Search or run a command' }).waitFor();
  await press('Escape');
  await page.getByRole('combobox', { name: 'Search or run a command' }).waitFor({ state: 'detached' });
  await studio.until(async () => (await focused(page)).id === before.id, 'the focus to be where it was');
  await palette('top_customers');
  await heading('top_customers').waitFor();
});

test('? lists the shortcuts, and single keys can be switched off', async () => {
  await sequence('g', 'd');
  await heading('Home').waitFor();
  await press('?');
  await dialog('Keyboard shortcuts').waitFor();
  await page.getByRole('switch', { name: 'Shortcuts of one key' }).focus();
  await press('Space', 'Escape');
  await dialog('Keyboard shortcuts').waitFor({ state: 'detached' });
  await sequence('g', 't');
  await idle(page, 300);
  assert.equal(new URL(page.url()).pathname, '/');
  await palette('keyboard shortcuts');
  await dialog('Keyboard shortcuts').waitFor();
  await page.getByRole('switch', { name: 'Shortcuts of one key' }).focus();
  await press('Space', 'Escape');
});

for (const [name, path] of [['Home', '/'], ['Connections', '/connections'], ['a new connection', '/connections/new'], ['Tools', '/tools'], ['a new tool', '/tools/new'],
  ['Deploy', '/deploy'], ['the log', '/deploy?tab=logs'], ['the revisions', '/deploy?tab=revisions'], ['Connect', '/connect'], ['Settings', '/settings/general'], ['Variables', '/settings/variables'],
  ['the checklist', '/security'], ['the sandbox', '/security?tab=sandbox'], ['Encryption', '/settings/encryption'], ['Account', '/account']]) {
  test(`on ${name} the focus is always visible, never covered and never trapped`, async () => {
    await page.goto(`${studio.base}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await idle(page);
    const { stops, problems } = await tabRound(page);
    assert.deepEqual(problems, []);
    assert.ok(stops.length > 8, stops.join(', '));
  });
}

test('in a dialog the focus stays, and it goes back when the dialog closes', async () => {
  await page.goto(`${studio.base}/deploy`);
  await page.getByRole('button', { name: 'Stop server' }).focus();
  await press('Enter');
  const asked = page.getByRole('alertdialog', { name: 'Stop server' });
  await asked.waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === 'Cancel');
  for (let n = 0; n < 6; n++) {
    await press('Tab');
    assert.equal(await page.evaluate(() => document.getElementById('root').contains(document.activeElement)), false, 'the focus left the dialog');
  }
  await press('Escape');
  await asked.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('Stop server'));
});

async function openTool(name) {
  const tool = (await studio.api('GET', 'tools')).items.find((t) => t.name === name);
  await page.goto(`${studio.base}/tools/${tool.id}`);
  await heading(name).waitFor();
  await page.getByRole('textbox', { name: /^SQL query/ }).waitFor();
  return tool;
}
const description = () => page.getByLabel('Description for the model');

test('a page that was only opened is never dirty', async () => {
  for (const name of ['top_customers', 'orders_by_status', 'search_products']) {
    await openTool(name);
    await idle(page, 1_200);
    assert.equal(await page.getByRole('main').getByText('Unsaved changes').count(), 0, name);
    await sequence('g', 'd');
    await heading('Home').waitFor();
    assert.equal(await page.getByRole('dialog').or(page.getByRole('alertdialog')).count(), 0, name);
  }
});

test('leaving with unsaved changes asks, and Keep editing has the focus', async () => {
  await openTool('search_products');
  await description().fill('Half a sentence');
  await description().blur();
  await sequence('g', 'd');
  const asked = page.getByRole('dialog').or(page.getByRole('alertdialog'));
  await asked.waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === 'Keep editing');
  await press('Enter');
  await asked.waitFor({ state: 'detached' });
  assert.equal(await description().inputValue(), 'Half a sentence');
});

test('a draft survives a reload and is offered, never applied by itself', async () => {
  const stored = (await openTool('top_customers')).description;
  await description().fill('A better description');
  await draftKept(page, 'A better description');
  page.once('dialog', (d) => d.accept());
  await page.reload();
  await heading('top_customers').waitFor();
  await page.getByRole('button', { name: /^Restore/ }).waitFor();
  assert.equal(await description().inputValue(), stored);
  await page.getByRole('button', { name: /^Restore/ }).click();
  assert.equal(await description().inputValue(), 'A better description');
  await press('Control+s');
  await page.getByRole('main').getByText('Saved, not live').waitFor();
  const saved = (await studio.api('GET', 'tools')).items.find((t) => t.name === 'top_customers');
  assert.equal(saved.description, 'A better description');
});

test('two editors on one tool: the second sees a bar before saving, and nothing is overwritten silently', async () => {
  const tool = await openTool('top_customers');
  await description().fill('Mine');
  const theirs = await studio.api('PATCH', `tools/${tool.id}`, { version: tool.version, description: 'Theirs', cache_ttl: 60 });
  const review = page.getByRole('button', { name: 'Review differences' });
  await review.waitFor();
  await description().focus();
  await press('Control+s');
  await idle(page, 500);
  let now = await studio.api('GET', `tools/${tool.id}`);
  assert.deepEqual([now.version, now.description], [theirs.version, 'Theirs'], 'overwritten without a review');
  assert.equal(await description().inputValue(), 'Mine', 'what was typed is gone');
  if (!(await page.getByRole('dialog').count())) await review.click();
  const asked = page.getByRole('dialog');
  await asked.waitFor();
  assert.match(await asked.innerText(), /Mine/);
  assert.match(await asked.innerText(), /Theirs/);
  await asked.getByText(/^use mine$/i).first().click();
  await asked.getByRole('button', { name: /save|apply|take over|merge/i }).first().click();
  await asked.waitFor({ state: 'detached' });
  if (await page.getByRole('main').getByText('Unsaved changes').count()) await press('Control+s');
  now = await studio.until(async () => {
    const t = await studio.api('GET', `tools/${tool.id}`);
    return t.version > theirs.version && t;
  }, 'the merged tool to be saved');
  assert.deepEqual([now.description, now.cache_ttl], ['Mine', 60], 'the field that only they touched is lost');
});

test('a session that ends asks to sign in over the page, and what was pressed goes on', async () => {
  await page.goto(`${studio.base}/settings/general`);
  const instructions = page.getByLabel('Instructions for the model');
  await instructions.fill('Typed before the session ended.');
  const { cookie } = studio;
  // Save is pressed while the session lives, and its request arrives when it is over.
  let arrive;
  const gate = new Promise((done) => { arrive = done; });
  await page.route('**/api/v1/server/config', async (route) => {
    if (route.request().method() === 'PATCH') await gate;
    await route.continue();
  });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await studio.api('POST', 'auth/logout');
  arrive();
  await dialog('Sign in to continue').waitFor();
  assert.notEqual(studio.cookie, cookie);
  assert.equal(await instructions.inputValue(), 'Typed before the session ended.');
  await dialog('Sign in to continue').getByLabel('Password', { exact: true }).focus();
  await page.keyboard.type('wrong password here');
  await press('Enter');
  await dialog('Sign in to continue').getByRole('alert').waitFor();
  await page.keyboard.type(password);
  await press('Enter');
  await dialog('Sign in to continue').waitFor({ state: 'detached' });
  [studio.cookie] = (await context.cookies()).filter((c) => c.name === 'studio_session').map((c) => `${c.name}=${c.value}`);
  assert.equal(await instructions.inputValue(), 'Typed before the session ended.');
  await studio.until(async () => (await studio.api('GET', 'server/config')).instructions === 'Typed before the session ended.', 'the settings to be saved');
});

test('a deploy while a client calls 20 times a second shows its steps and no call fails', async () => {
  const { token } = await studio.api('POST', 'mcp-tokens', { name: 'busy' });
  await withClient(studio, token, (client) => client.listTools());
  const changed = (await studio.api('GET', 'tools')).items.find((t) => t.name === 'search_products');
  await studio.api('PATCH', `tools/${changed.id}`, { version: changed.version, description: 'Finds products by their name.' });
  await page.goto(`${studio.base}/deploy`);
  await heading('Deploy').waitFor();
  const busy = caller(studio, token, 'orders_by_status', {}, 20);
  const before = (await studio.api('GET', 'deploy/status')).revision;
  let done;
  try {
    await press('Control+Enter');
    await studio.until(async () => {
      const s = await studio.api('GET', 'deploy/status');
      return s.status === 'running' && s.revision > before;
    }, 'the new revision to serve');
    await page.getByRole('heading', { name: `Revision ${before + 1}`, exact: true }).waitFor();
    // A deploy can be over before anybody sees a step run: how it went stays on the page.
    const steps = page.getByRole('list', { name: 'Deploy progress' }).getByRole('listitem');
    for (const step of ['Validate', 'Compile', 'Start', 'Health check', 'Switch traffic']) await steps.filter({ hasText: `${step}, done` }).waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).last().waitFor();
    await studio.until(() => busy.count() >= 20, 'a second of calls'); // the deploy itself takes a fraction of it
  } finally {
    done = await busy.stop();
  }
  assert.deepEqual(done.failures, []);
  assert.ok(done.calls >= 10, `${done.calls} calls`);
});

test('nothing went wrong on the way', () => assert.deepEqual(page.findings, []));
