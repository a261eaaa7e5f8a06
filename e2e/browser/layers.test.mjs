// Every layer of every page, opened: dialogs, menus, lists, results, what a form says about a mistake. See lib/sweep.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idle, phone, wide } from '../lib/browser.mjs';
import { draftKept } from '../lib/drafts.mjs';
import { stage } from '../lib/stage.mjs';
import { atOnce } from '../lib/sweep.mjs';

const on = stage();

/** Milliseconds after which the builder has asked the database about the statement. */
const checking = 900;
const press = (keys) => (page) => page.keyboard.press(keys);
const click = (role, name) => (page) => page.getByRole(role, { name }).first().click();
const open = (role, name) => async (page) => {
  await click(...name)(page);
  await page.getByRole(role).first().waitFor();
  await idle(page);
};
/** Signs in elsewhere, so that there is a session to end. */
async function anotherSession() {
  const body = JSON.stringify({ username: on.full.username, password: on.full.password });
  const res = await fetch(`${on.full.base}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(res.status, 200);
}

const layers = [
  ['palette', '/', async (page) => { await press('Control+k')(page); await page.getByRole('combobox', { name: 'Search or run a command' }).waitFor(); }],
  ['palette, nothing found', '/', async (page) => { await press('Control+k')(page); await page.getByRole('combobox', { name: 'Search or run a command' }).fill('zzzz'); }],
  ['shortcuts', '/tools', async (page) => { await press('?')(page); await page.getByRole('dialog').waitFor(); }],
  ['theme menu', '/', open('menu', ['button', 'Theme']), { sizes: [wide] }],
  ['account menu', '/', open('menu', ['button', 'Account'])],
  ['navigation on a phone', '/', open('dialog', ['button', 'Open navigation']), { sizes: [phone] }],
  ['stop server', '/deploy', open('alertdialog', ['button', 'Stop server'])],
  ['a change, opened', '/deploy', async (page) => { const row = page.getByRole('region', { name: 'Changed' }).getByRole('button', { expanded: false }).first(); await row.click(); await page.getByRole('main').getByRole('table').or(page.getByLabel(/^Difference/)).first().waitFor(); }],
  ['revoke a token', '/connect', open('alertdialog', ['button', 'Revoke'])],
  ['choice of a tool', '/connect', open('listbox', ['combobox', 'Tool'])],
  ['connection kind', '/connections', open('listbox', ['combobox', 'Kind'])],
  ['connection actions', '/connections', open('menu', ['button', /^Actions for Orders/])],
  ['delete a connection', '/connections', async (page) => { await open('menu', ['button', /^Actions for Sample/])(page); await click('menuitem', /^Delete/)(page); await page.getByRole('alertdialog').or(page.getByRole('dialog')).first().waitFor(); }],
  ['selected connections', '/connections', async (page) => { await page.getByRole('checkbox').first().click(); }],
  ['no connection matches', '/connections?search=zzzz', async (page) => { await page.getByRole('button', { name: /Clear/ }).first().waitFor(); }],
  ['paste a URL', '/connections/new', open('dialog', ['button', 'Paste a connection URL'])],
  ['TLS modes', '/connections/new', open('listbox', ['combobox', 'Mode'])],
  ['connection, nothing typed', '/connections/new', async (page) => { await click('button', 'Save connection')(page); await page.locator('[aria-invalid="true"]').first().waitFor(); }],
  ['connection tested', () => `/connections/${on.ids.connection}`, async (page) => { await click('button', 'Test connection')(page); await page.getByText(/^Succeeded in/).waitFor(); }],
  ['schema, a table opened', () => `/connections/${on.ids.connection}?tab=schema`, async (page) => { await page.getByRole('button', { name: /customers/ }).or(page.getByRole('treeitem', { name: /customers/ })).first().click(); await page.getByText('joined').first().waitFor(); }],
  ['tool actions', '/tools', open('menu', ['button', /^Actions for top_customers/])],
  ['no tool matches', '/tools?search=zzzz', async (page) => { await page.getByRole('button', { name: /Clear/ }).first().waitFor(); }],
  ['tool menu', () => `/tools/${on.ids.tool}`, open('menu', ['button', 'More actions']), { sizes: [wide] }],
  ['tool menu on a phone', () => `/tools/${on.ids.tool}`, open('menu', ['button', 'More actions']), { sizes: [phone] }],
  ['tool preview', () => `/tools/${on.ids.tool}`, async (page) => { await idle(page, checking); await press('Control+Enter')(page); await page.getByRole('tabpanel').getByRole('row').nth(2).waitFor(); }],
  ['tool as the client sees it', () => `/tools/${on.ids.tool}?tab=client`, async (page) => { await idle(page, checking); await press('Control+Enter')(page); await idle(page, checking); }],
  ['tool raw', () => `/tools/${on.ids.tool}?tab=raw`, async (page) => { await idle(page, checking); await press('Control+Enter')(page); await idle(page, checking); }],
  ['tool parameter opened', () => `/tools/${on.ids.tool}`, async (page) => { await page.getByRole('button', { name: /^:/ }).first().click(); await idle(page); }],
  ['tool, leaving', () => `/tools/${on.ids.tool}`, async (page) => { await page.getByLabel('Title').fill('Changed'); await click('link', /^Home/)(page); await page.getByRole('button', { name: 'Keep editing' }).waitFor(); }, { sizes: [wide], alone: true }],
  ['new tool, nothing typed', '/tools/new', async (page) => { await idle(page, checking); await press('Control+s')(page); await page.locator('[aria-invalid="true"]').first().waitFor(); }],
  ['token shown', '/connect', async (page) => { await click('button', 'Create token')(page); await page.getByRole('button', { name: 'I stored it' }).waitFor(); }],
  ['call made', '/connect', async (page) => { await page.getByRole('button', { name: /^Call / }).click(); await page.getByText('It works').waitFor(); }],
  ['connection, a draft compared', () => `/connections/${on.ids.connection}`, async (page) => {
    await page.getByLabel('Database').fill('other');
    await draftKept(page, 'other');
    await page.reload();
    await open('dialog', ['button', 'Show differences'])(page);
  }, { alone: true }],
  ['settings, changed elsewhere', '/settings/general', async (page) => {
    await page.getByLabel('Server name').fill('mine');
    const { version } = await on.full.api('GET', 'server/config');
    await on.full.api('PATCH', 'server/config', { version, server_name: `theirs ${version}` });
    await open('dialog', ['button', 'Review differences'])(page);
  }, { alone: true }],
  ['log level', '/settings/general', open('listbox', ['combobox', 'Log level'])],
  ['no auth', '/settings/general', async (page) => { await open('listbox', ['combobox', 'Who may call'])(page); await click('option', /No check/)(page); await page.getByText('No token is asked for').waitFor(); }, { alone: true }],
  ['a variable without a name', '/settings/variables', async (page) => { await click('button', 'Add variable')(page); await click('button', 'Save')(page); await page.getByText(/A name is letters/).waitFor(); }, { alone: true }],
  ['a check that passed, opened', '/security', async (page) => { const details = page.getByRole('button', { name: /^Details of/, expanded: false }).first(); const name = await details.getAttribute('aria-label'); await details.click(); await page.getByRole('button', { name, expanded: true }).waitFor(); }],
  ['every process, opened', '/security?tab=sandbox', async (page) => { for (let n = 0; n < 5; n++) { const folded = page.getByRole('button', { name: /^Details of/, expanded: false }); if ((await folded.count()) === 0) break; await folded.first().click(); } }],
  ['rotate the key', '/settings/encryption', open('dialog', ['button', 'Rotate key'])],
  ['change name', '/account', open('dialog', ['button', 'Change name'])],
  ['change password, nothing typed', '/account', async (page) => { await open('dialog', ['button', 'Change password'])(page); await page.getByRole('dialog').getByRole('button', { name: 'Change password' }).click(); await page.getByText('Enter the current password.').waitFor(); }],
  ['two-factor, password', '/account', async (page) => { await page.getByRole('main').getByRole('button', { name: 'Turn on two-factor' }).click(); await page.getByRole('dialog').waitFor(); await idle(page); }],
  ['end the other sessions', '/account', open('alertdialog', ['button', 'End all others']), { prepare: anotherSession }],
  ['session over', '/', async (page) => { await page.route('**/api/v1/**', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: '{"detail":"sign in first","code":"unauthorized","fields":{},"request_id":"r"}' })); await click('link', /^Tools/)(page); await page.getByRole('dialog', { name: 'Sign in to continue' }).waitFor(); }, { sizes: [wide], alone: true }],
];
test('opened', { concurrency: atOnce }, (t) => Promise.all(layers.map(([name, address, act, options]) => t.test(name, () => on.sweep.check(on.full, typeof address === 'function' ? address() : address, {
  shown: (page) => idle(page, 300),
  act,
  ...options,
})))));
