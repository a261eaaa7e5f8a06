// The pages about what protects the server, against a real one: the checklist, the sandbox with its processes, the encryption key.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, visit, watched } from '../lib/browser.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, context, page;
const password = 'correct horse battery 7';
const canary = 'canary-51c0de7a90';

before(async () => {
  [studio, browser] = await Promise.all([Studio.start(), launch()]);
  await studio.setup('admin', password);
  await studio.api('POST', 'connections', { name: 'Ledger', db_type: 'postgresql', host: '127.0.0.1', port: 9, database: 'ledger', username: 'reader', password: canary });
  context = await visit(browser, studio);
  page = await watched(context, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const heading = (name) => page.getByRole('heading', { level: 1, name, exact: true });
const api = (path) => studio.api('GET', path);

test('before anything runs a probe shows what the sandbox is like here', async () => {
  await page.goto(`${studio.base}/security?tab=sandbox`);
  await heading('Security').waitFor();
  await page.getByText('Nothing runs now').waitFor();
  const { level, probe } = await api('server/sandbox');
  const card = page.getByRole('region', { name: 'Probe' });
  await card.getByText('System-call filter').first().waitFor();
  assert.equal(await card.getByText('Enforced', { exact: true }).count(), probe.layers.filter((l) => l.state === 'enforced').length);
  await page.getByRole('region', { name: 'Sandbox', exact: true }).getByText(level, { exact: false }).first().waitFor();
  assert.deepEqual(page.findings, []);
});

test('the checklist says what the server found, worst first, and leads to where it is mended', async () => {
  await page.goto(`${studio.base}/security`);
  const list = page.getByRole('region', { name: 'Checklist' });
  const { items, counts } = await api('server/checklist');
  await list.getByText(`${counts.ok} passed`).waitFor();
  const titles = await list.getByRole('heading', { level: 4 }).allInnerTexts();
  assert.deepEqual(titles.toSorted(), items.map((i) => i.title).toSorted());
  const rank = ['fail', 'warn', 'unknown', 'ok'];
  const ranks = titles.map((title) => rank.indexOf(items.find((i) => i.title === title).status));
  assert.deepEqual(ranks, ranks.toSorted((a, b) => a - b));

  const off = items.find((i) => i.id === 'two_factor');
  assert.equal(off.status, 'warn');
  const row = list.getByRole('listitem').filter({ hasText: off.title });
  for (const text of [off.found, off.why, off.mend]) await row.getByText(text).waitFor();
  const passed = items.find((i) => i.status === 'ok');
  const quiet = list.getByRole('listitem').filter({ has: page.getByRole('heading', { name: passed.title, exact: true }) });
  assert.equal(await quiet.getByText(passed.why).count(), 0);
  await quiet.getByRole('button', { name: `Details of ${passed.title}` }).click();
  await quiet.getByText(passed.why).waitFor();
  await row.getByRole('link', { name: 'Open Two-factor' }).click();
  await heading('Account').waitFor();
  assert.equal(new URL(page.url()).hash, '#two-factor');
  assert.deepEqual(page.findings, []);
});

test('checking again looks again', async () => {
  await page.goto(`${studio.base}/security`);
  const list = page.getByRole('region', { name: 'Checklist' });
  await list.getByText('Nobody needs a token').or(list.getByText(/passed$/)).first().waitFor();
  const before = (await api('server/checklist')).items.find((i) => i.id === 'cors_origins');
  const config = await api('server/config');
  await studio.api('PATCH', 'server/config', { version: config.version, cors_origins: ['http://app.example.org'] });
  await list.getByRole('button', { name: 'Check again' }).click();
  const after = (await api('server/checklist')).items.find((i) => i.id === 'cors_origins');
  assert.notEqual(after.found, before.found);
  await list.getByText(after.found).waitFor();
});

test('the sandbox page shows the processes there are, and that one was killed', async () => {
  await studio.api('POST', 'sample', {});
  await studio.until(async () => (await api('deploy/status')).status === 'running', 'the sample to serve');
  await page.goto(`${studio.base}/`);
  await page.getByRole('region', { name: 'Sandbox' }).getByRole('link', { name: 'Details' }).click();
  await heading('Security').waitFor();
  const live = (await api('server/sandbox')).children.find((c) => c.role === 'live');
  const card = page.getByRole('region', { name: 'Live server, revision 1' });
  await card.getByText(`process ${live.pid},`).waitFor();
  await card.getByText(/ of 512 MiB/).waitFor();
  await card.getByText(`uid ${live.uid}`, { exact: true }).waitFor();
  await card.getByText('None: it has no network at all.').waitFor(); // the sample is a file
  const own = page.getByRole('region', { name: 'The studio itself' });
  await own.getByRole('button', { name: 'Details of The studio itself' }).click();
  await own.getByText('No new privileges').first().waitFor();

  process.kill(live.pid, 'SIGKILL');
  const next = await studio.until(async () => (await api('server/sandbox')).children.find((c) => c.role === 'live' && c.pid !== live.pid), 'another live process');
  await card.getByText(`process ${next.pid},`).waitFor();
  await page.getByText(/Last unexpected end/).waitFor();
  assert.deepEqual(page.findings, []);
});

test('rotating the key takes the password, seals every secret anew and says to copy the new key', async () => {
  await page.goto(`${studio.base}/settings/encryption`);
  await heading('Settings').waitFor();
  const before = await api('server/encryption');
  assert.ok(before.total >= 1);
  await page.getByRole('cell', { name: before.keys[0].id }).waitFor();
  const file = readFileSync(before.path, 'utf8');
  await page.getByRole('button', { name: 'Rotate key' }).click();
  const box = page.getByRole('dialog', { name: 'Rotate the encryption key' });
  await box.getByRole('button', { name: 'Rotate key' }).click();
  await box.getByText('Enter your password.').waitFor();
  await box.getByLabel('Password', { exact: true }).fill('not the password');
  await box.getByRole('button', { name: 'Rotate key' }).click();
  await box.getByText(/password is wrong/i).waitFor();
  assert.deepEqual(await api('server/encryption'), before);
  await box.getByLabel('Password', { exact: true }).fill(password);
  await box.getByRole('button', { name: 'Rotate key' }).click();
  await page.getByText(/sealed with the current key/).waitFor();

  const after = await api('server/encryption');
  assert.notEqual(after.keys[0].id, before.keys[0].id);
  assert.equal(after.keys[0].secrets, after.total);
  await page.getByRole('cell', { name: after.keys[0].id }).waitFor();
  await page.getByText('The key file has changed').waitFor();
  const key = readFileSync(after.path, 'utf8');
  assert.notEqual(key, file);
  assert.equal(statSync(after.path).mode & 0o777, 0o600);
  const shown = await page.evaluate(() => document.documentElement.outerHTML);
  for (const part of key.trim().split(',')) assert.ok(!shown.includes(part), 'the key is on the page'); // case 81
  assert.deepEqual(page.findings, []);
});

test('limits of the server process are saved, and wait for a deploy', async () => {
  await page.goto(`${studio.base}/settings/general`);
  const memory = page.getByLabel(/^Memory of the server process/);
  await memory.fill('1');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText(/64/).and(page.locator('[id$="-error"]')).waitFor();
  await memory.fill('256');
  await page.getByLabel('Processors of the server process').fill('1');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText(/^Saved/).first().waitFor();
  const config = await api('server/config');
  assert.deepEqual([config.child_memory_mib, config.child_cpus], [256, 1]);
  await studio.deploy();
  await page.goto(`${studio.base}/security?tab=sandbox`);
  const card = page.getByRole('region', { name: /^Live server/ });
  await card.getByText(/ of 256 MiB/).waitFor();
  assert.deepEqual(page.findings, []);
});

test('the palette finds the parts of these pages by other words', async () => {
  for (const [words, name] of [['2fa', 'Account'], ['seccomp', 'Security'], ['https', 'Security'], ['rotate', 'Settings']]) {
    await page.goto(`${studio.base}/tools`);
    await heading('Tools').waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Search or run a command' }).fill(words);
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('Enter');
    await heading(name).waitFor();
  }
});
