// G4, G6, G16: every page × loading, empty, error and populated × light and dark × wide and phone: axe, content security policy, console,
// requests to others, sideways scrolling, one heading, a title. Then every opened layer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, failing, launch, phone, settled, sideways, stall, useTheme, visit, watched, wide } from '../lib/browser.mjs';
import { pagesOf, populate } from '../lib/pages.mjs';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';

/** `make test` looks at a sample of the states; the whole sweep takes minutes more. */
const sample = process.env.STUDIO_VERIFY === '1' ? false : 'the long sweep runs in make verify';

let browser, shop, full, empty, fresh, ids;

before(async () => {
  [shop, full, empty, fresh, browser] = await Promise.all([Shop.create(), Studio.start(), Studio.start(), Studio.start(), launch()]);
  await Promise.all([full.setup(), empty.setup()]);
  ids = await populate(full, shop);
});
after(async () => {
  await browser?.close();
  await Promise.all([full, empty, fresh].map((studio) => studio?.stop()));
  await shop?.drop();
});

/** What `heading` says in other states than the populated one: an entity that was not loaded has no name yet. */
const titled = /\S+ · Studio$|^Studio$/;

/** One person's browser for each studio: what was loaded once is in its cache. */
const visits = new Map();
function visitOf(studio, signedIn) {
  const key = `${studio.base} ${signedIn}`;
  if (!visits.has(key)) visits.set(key, visit(browser, studio, { signedIn }));
  return visits.get(key);
}

/**
 * Everything that can be said about a page as it is shown now, with its content security policy on: axe needs no exception from it.
 * `alone` is for what would be seen by the pages beside it: a draft that stays, another clock.
 */
async function check(studio, address, { prepare = async () => undefined, act = async () => undefined, shown, signedIn = true, sizes = [wide, phone], alone = false }) {
  const problems = [];
  const context = await (alone ? visit(browser, studio, { signedIn }) : visitOf(studio, signedIn));
  const page = await watched(context, studio);
  try {
    await page.setViewportSize(sizes[0]);
    const release = await prepare(page);
    await page.goto(`${studio.base}${address}`);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await shown?.(page);
    await act(page);
    await settled(page);
    const headings = await page.getByRole('heading', { level: 1, includeHidden: true }).count();
    if (headings !== 1) problems.push(`${headings} headings of level 1`);
    if (!titled.test(await page.title())) problems.push(`title ${await page.title()}`);
    const fits = async (width) => {
      const by = await sideways(page);
      if (by > 0) problems.push(`scrolls sideways by ${by} px at ${width} px`);
    };
    for (const viewport of sizes) {
      await page.setViewportSize(viewport);
      await settled(page);
      await fits(viewport.width);
      for (const theme of ['light', 'dark']) {
        await useTheme(page, theme);
        problems.push(...(await axe(page, { colours: theme === 'dark' })).map((line) => `${theme} ${viewport.width}: ${line}`));
      }
    }
    if (sizes.includes(phone)) {
      await page.setViewportSize({ width: 320, height: 640 });
      await settled(page);
      await fits(320);
    }
    problems.push(...page.findings);
    if (typeof release === 'function') release();
  } finally {
    await (alone ? context : page).close();
  }
  assert.deepEqual([...new Set(problems)], []);
}

const quiet = (page) => page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);

test('populated', { concurrency: 3 }, (t) => Promise.all(pagesOf(ids).map(([name, address, heading]) => t.test(name, () => check(full, address, {
  shown: async (page) => {
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
    await quiet(page);
    await page.waitForTimeout(name.startsWith('tool') || name === 'deploy-logs' ? 900 : 250);
  },
})))));

const listed = ['home', 'connections', 'tools', 'tool-new', 'deploy', 'deploy-logs', 'deploy-revisions', 'connect', 'security', 'sandbox', 'settings', 'variables', 'encryption', 'account'];

test('empty', { concurrency: 3 }, (t) => Promise.all(pagesOf(ids).filter(([name]) => listed.includes(name)).map(([name, address, heading]) => t.test(name, () => check(empty, address, {
  shown: async (page) => {
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
    await quiet(page);
    await page.waitForTimeout(250);
  },
})))));

test('an unknown id is said, inside the shell', { concurrency: 3 }, (t) => Promise.all(['/tools/00000000-0000-7000-8000-000000000000', '/connections/00000000-0000-7000-8000-000000000000'].map((address) => t.test(address, () => check(empty, address, {
  shown: async (page) => {
    await quiet(page);
    await page.getByText(/does not exist|not found|no longer|was deleted|nothing at this address|could not be loaded/i).first().waitFor();
  },
})))));

const loaded = pagesOf({}).map(([name]) => name).filter((name) => !['not-found', 'connection-new', 'tool-new', 'deploy-logs', 'connection-used-by', 'tool-definition', 'tool-history'].includes(name));

test('loading', { concurrency: 3, skip: sample }, (t) => Promise.all(pagesOf(ids).filter(([name]) => loaded.includes(name)).map(([name, address]) => t.test(name, () => check(full, address, {
  prepare: stall,
  shown: async (page) => {
    await page.getByRole('banner').waitFor(); // before the shell there is another "Loading"
    await page.getByRole('main').getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('main').locator('[aria-busy="true"]').first().waitFor();
  },
})))));

test('error', { concurrency: 3, skip: sample }, (t) => Promise.all(pagesOf(ids).filter(([name]) => loaded.includes(name)).map(([name, address]) => t.test(name, () => check(full, address, {
  alone: true,
  prepare: async (page) => {
    await page.clock.install();
    await failing(page);
  },
  shown: async (page) => {
    for (let n = 0; n < 8 && (await page.getByRole('alert').count()) === 0; n++) { // the retries wait longer and longer
      await page.waitForTimeout(150);
      await page.clock.fastForward(2_500);
    }
    const alert = page.getByRole('alert').first();
    await alert.waitFor();
    assert.match(await alert.innerText(), /disk I\/O error/);
    assert.match(await alert.innerText(), /req-0001/);
    await page.getByRole('button', { name: 'Retry' }).first().waitFor();
  },
})))));

test('the server away: a banner over the page, and it goes when the server is back', async () => {
  const context = await visit(browser, full);
  const page = await watched(context, full);
  await page.goto(`${full.base}/tools`);
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
  ['login', () => empty, '/login', {}],
  ['login, nothing typed', () => empty, '/login', { act: (page) => page.getByRole('button', { name: 'Sign in' }).click() }],
  ['login, wrong', () => full, '/login', { act: wrong }],
  ['login, forgot password', () => empty, '/login', { act: (page) => page.getByRole('button', { name: 'Forgot password' }).click() }],
  ['login, server failing', () => empty, '/login', {
    prepare: (page) => page.route('**/auth/login', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"detail":"The store cannot be read","code":"internal","fields":{},"request_id":"r"}' })), act: wrong }],
  ['login, code', () => empty, '/login', second],
  ['login, recovery code', () => empty, '/login', { ...second, act: async (page) => { await second.act(page); await page.getByRole('button', { name: 'Use a recovery code' }).click(); await page.getByLabel('Recovery code').waitFor(); } }],
  ['setup, account', () => fresh, '/setup', {}],
  ['setup, nothing typed', () => fresh, '/setup', { act: (page) => page.getByRole('button', { name: 'Create account' }).click() }],
  ['setup, server failing', () => fresh, '/setup', {
    prepare: (page) => page.route('**/auth/status', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{"detail":"The store cannot be read","code":"internal","fields":{},"request_id":"r"}' })) }],
  ['setup, waiting', () => fresh, '/setup', { prepare: (page) => page.route('**/auth/status', () => undefined), shown: (page) => page.locator('[aria-busy="true"]').waitFor() }],
  ['setup, key', () => empty, '/setup?step=key', { signedIn: true }],
  ['setup, start', () => empty, '/setup?step=start', { signedIn: true }],
];
test('before the shell', { concurrency: 3 }, (t) => Promise.all(outside.map(([name, studio, address, options]) => t.test(name, () => check(studio(), address, { signedIn: false, ...options })))));

const press = (keys) => (page) => page.keyboard.press(keys);
const click = (role, name) => (page) => page.getByRole(role, { name }).first().click();
const open = (role, name) => async (page) => {
  await click(...name)(page);
  await page.getByRole(role).first().waitFor();
  await page.waitForTimeout(200);
};
/** Signs in elsewhere, so that there is a session to end. */
async function anotherSession() {
  const body = JSON.stringify({ username: full.username, password: full.password });
  const res = await fetch(`${full.base}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
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
  ['connection, nothing typed', '/connections/new', async (page) => { await click('button', 'Save connection')(page); await page.waitForTimeout(200); }],
  ['connection tested', () => `/connections/${ids.connection}`, async (page) => { await click('button', 'Test connection')(page); await page.getByText(/^Succeeded in/).waitFor(); }],
  ['schema, a table opened', () => `/connections/${ids.connection}?tab=schema`, async (page) => { await page.getByRole('button', { name: /customers/ }).or(page.getByRole('treeitem', { name: /customers/ })).first().click(); await page.getByText('joined').first().waitFor(); }],
  ['tool actions', '/tools', open('menu', ['button', /^Actions for top_customers/])],
  ['no tool matches', '/tools?search=zzzz', async (page) => { await page.getByRole('button', { name: /Clear/ }).first().waitFor(); }],
  ['tool menu', () => `/tools/${ids.tool}`, open('menu', ['button', 'More actions']), { sizes: [wide] }],
  ['tool menu on a phone', () => `/tools/${ids.tool}`, open('menu', ['button', 'More actions']), { sizes: [phone] }],
  ['tool preview', () => `/tools/${ids.tool}`, async (page) => { await page.waitForTimeout(700); await press('Control+Enter')(page); await page.getByRole('tabpanel').getByRole('row').nth(2).waitFor(); }],
  ['tool as the client sees it', () => `/tools/${ids.tool}?tab=client`, async (page) => { await page.waitForTimeout(700); await press('Control+Enter')(page); await page.waitForTimeout(900); }],
  ['tool raw', () => `/tools/${ids.tool}?tab=raw`, async (page) => { await page.waitForTimeout(700); await press('Control+Enter')(page); await page.waitForTimeout(900); }],
  ['tool parameter opened', () => `/tools/${ids.tool}`, async (page) => { await page.getByRole('button', { name: /^:/ }).first().click(); await page.waitForTimeout(200); }],
  ['tool, leaving', () => `/tools/${ids.tool}`, async (page) => { await page.getByLabel('Title').fill('Changed'); await click('link', /^Home/)(page); await page.getByRole('button', { name: 'Keep editing' }).waitFor(); }, { sizes: [wide], alone: true }],
  ['new tool, nothing typed', '/tools/new', async (page) => { await page.waitForTimeout(500); await press('Control+s')(page); await page.waitForTimeout(400); }],
  ['token shown', '/connect', async (page) => { await click('button', 'Create token')(page); await page.getByRole('button', { name: 'I stored it' }).waitFor(); }],
  ['call made', '/connect', async (page) => { await page.getByRole('button', { name: /^Call / }).click(); await page.getByText('It works').waitFor(); }],
  ['connection, a draft compared', () => `/connections/${ids.connection}`, async (page) => {
    await page.getByLabel('Database').fill('other');
    await page.waitForTimeout(1_000); // a draft is kept after 800 ms
    await page.reload();
    await open('dialog', ['button', 'Show differences'])(page);
  }, { alone: true }],
  ['settings, changed elsewhere', '/settings/general', async (page) => {
    await page.getByLabel('Server name').fill('mine');
    const { version } = await full.api('GET', 'server/config');
    await full.api('PATCH', 'server/config', { version, server_name: `theirs ${version}` });
    await open('dialog', ['button', 'Review differences'])(page);
  }, { alone: true }],
  ['log level', '/settings/general', open('listbox', ['combobox', 'Log level'])],
  ['no auth', '/settings/general', async (page) => { await open('listbox', ['combobox', 'Who may call'])(page); await click('option', /No check/)(page); await page.getByText('No token is asked for').waitFor(); }],
  ['a variable without a name', '/settings/variables', async (page) => { await click('button', 'Add variable')(page); await click('button', 'Save')(page); await page.getByText(/A name is letters/).waitFor(); }],
  ['a check that passed, opened', '/security', async (page) => { const details = page.getByRole('button', { name: /^Details of/, expanded: false }).first(); const name = await details.getAttribute('aria-label'); await details.click(); await page.getByRole('button', { name, expanded: true }).waitFor(); }],
  ['every process, opened', '/security?tab=sandbox', async (page) => { for (let n = 0; n < 5; n++) { const folded = page.getByRole('button', { name: /^Details of/, expanded: false }); if ((await folded.count()) === 0) break; await folded.first().click(); } }],
  ['rotate the key', '/settings/encryption', open('dialog', ['button', 'Rotate key'])],
  ['change name', '/account', open('dialog', ['button', 'Change name'])],
  ['change password, nothing typed', '/account', async (page) => { await open('dialog', ['button', 'Change password'])(page); await page.getByRole('dialog').getByRole('button', { name: 'Change password' }).click(); await page.getByText('Enter the current password.').waitFor(); }],
  ['two-factor, password', '/account', async (page) => { await page.getByRole('main').getByRole('button', { name: 'Turn on two-factor' }).click(); await page.getByRole('dialog').waitFor(); await page.waitForTimeout(200); }],
  ['end the other sessions', '/account', open('alertdialog', ['button', 'End all others']), { prepare: anotherSession }],
  ['session over', '/', async (page) => { await page.route('**/api/v1/**', (route) => route.fulfill({ status: 401, contentType: 'application/json', body: '{"detail":"sign in first","code":"unauthorized","fields":{},"request_id":"r"}' })); await click('link', /^Tools/)(page); await page.getByRole('dialog', { name: 'Sign in to continue' }).waitFor(); }, { sizes: [wide] }],
];
test('opened', { concurrency: 3, skip: sample }, (t) => Promise.all(layers.map(([name, address, act, options]) => t.test(name, () => check(full, typeof address === 'function' ? address() : address, {
  shown: async (page) => {
    await quiet(page);
    await page.waitForTimeout(300);
  },
  act,
  ...options,
})))));
