// Every page, populated and empty, and those before the shell. See lib/sweep.mjs; states.test.mjs has loading and error,
// layers.test.mjs what opens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, idle, visit, watched } from '../lib/browser.mjs';
import { pagesOf } from '../lib/pages.mjs';
import { stage } from '../lib/stage.mjs';
import { atOnce } from '../lib/sweep.mjs';

const on = stage('empty', 'fresh');

test('populated', { concurrency: atOnce }, (t) => Promise.all(pagesOf(on.ids).map(([name, address, heading]) => t.test(name, () => on.sweep.check(on.full, address, {
  within: true,
  shown: async (page) => {
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
    await idle(page, name.startsWith('tool') || name === 'deploy-logs' ? 900 : 200); // a tool asks the database once nothing was typed for 800 ms
  },
})))));

const listed = ['home', 'connections', 'tools', 'tool-new', 'deploy', 'deploy-logs', 'deploy-revisions', 'connect', 'security', 'sandbox', 'settings', 'variables', 'encryption', 'account'];

test('empty', { concurrency: atOnce }, (t) => Promise.all(pagesOf(on.ids).filter(([name]) => listed.includes(name)).map(([name, address, heading]) => t.test(name, () => on.sweep.check(on.empty, address, {
  within: true,
  shown: async (page) => {
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
    await idle(page);
  },
})))));

test('an unknown id is said, inside the shell', { concurrency: atOnce }, (t) => Promise.all(['/tools/00000000-0000-7000-8000-000000000000', '/connections/00000000-0000-7000-8000-000000000000'].map((address) => t.test(address, () => on.sweep.check(on.empty, address, {
  within: true,
  shown: async (page) => {
    await idle(page);
    await page.getByText(/does not exist|not found|no longer|was deleted|nothing at this address|could not be loaded/i).first().waitFor();
  },
})))));

test('the server away: a banner over the page, and it goes when the server is back', async () => {
  const context = await visit(on.browser, on.full);
  const page = await watched(context, on.full);
  await page.goto(`${on.full.base}/tools`);
  await page.getByText('top_customers').first().waitFor();
  await context.setOffline(true);
  await page.getByRole('region', { name: 'Connection to the server' }).waitFor();
  assert.deepEqual((await axe(page)), []);
  await context.setOffline(false);
  await page.getByRole('region', { name: 'Connection to the server' }).waitFor({ state: 'detached' });
  await page.getByText('top_customers').first().waitFor();
  await context.close();
});

const wrong = async (page) => {
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
};
/** The password step of an account with two-factor; what the code step does with real codes is in account.test.mjs. */
const second = {
  prepare: (page) => page.route('**/auth/login', (route) => route.fulfill({ contentType: 'application/json', body: '{"pending_token":"p"}' })),
  act: async (page) => {
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill('a password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Two-factor code' }).waitFor();
  },
};
const outside = [
  ['login', () => on.empty, '/login', {}],
  ['login, nothing typed', () => on.empty, '/login', { act: (page) => page.getByRole('button', { name: 'Sign in' }).click() }],
  ['login, wrong', () => on.full, '/login', { act: wrong }],
  ['login, forgot password', () => on.empty, '/login', { act: (page) => page.getByRole('button', { name: 'Forgot password' }).click() }],
  ['login, server failing', () => on.empty, '/login', {
    prepare: (page) => page.route('**/auth/login', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"detail":"The store cannot be read","code":"internal","fields":{},"request_id":"r"}' })), act: wrong }],
  ['login, code', () => on.empty, '/login', second],
  ['login, recovery code', () => on.empty, '/login', { ...second, act: async (page) => { await second.act(page); await page.getByRole('button', { name: 'Use a recovery code' }).click(); await page.getByLabel('Recovery code').waitFor(); } }],
  ['setup, account', () => on.fresh, '/setup', {}],
  ['setup, nothing typed', () => on.fresh, '/setup', { act: (page) => page.getByRole('button', { name: 'Create account' }).click() }],
  ['setup, server failing', () => on.fresh, '/setup', {
    prepare: (page) => page.route('**/auth/status', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"detail":"The store cannot be read","code":"internal","fields":{},"request_id":"r"}' })) }],
  ['setup, waiting', () => on.fresh, '/setup', { prepare: (page) => page.route('**/auth/status', () => undefined), shown: (page) => page.locator('[aria-busy="true"]').waitFor() }],
  ['setup, key', () => on.empty, '/setup?step=key', { signedIn: true }],
  ['setup, start', () => on.empty, '/setup?step=start', { signedIn: true }],
];
test('before the shell', { concurrency: atOnce }, (t) => Promise.all(outside.map(([name, studio, address, options]) => t.test(name, () => on.sweep.check(studio(), address, { signedIn: false, ...options })))));
