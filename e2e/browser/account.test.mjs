// The admin's own account: two-factor from the offer to turning it off, sessions that are ended, name and password, preferences, the lock.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { axe, idle, launch, phone, settled, useTheme, visit, watched, wide } from '../lib/browser.mjs';
import { Studio } from '../lib/studio.mjs';
import { Authenticator } from '../lib/totp.mjs';

let studio, browser, here, page, there, other, app, codes;
let password = 'correct horse battery 7';

before(async () => {
  [studio, browser] = await Promise.all([Studio.start(), launch()]);
  await studio.setup('admin', password);
  await studio.api('POST', 'sample', {});
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the sample to serve');
  here = await visit(browser, studio);
  await here.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: studio.base });
  page = await watched(here, studio);
  there = await visit(browser, studio, { signedIn: false, viewport: phone });
  other = await watched(there, studio);
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

const heading = (p, name) => p.getByRole('heading', { level: 1, name, exact: true });
const dialog = (p, name) => p.getByRole('dialog', { name });
const click = (within, name) => within.getByRole('button', { name, exact: true }).click();

/** The layer as it is shown now, in both themes and sizes. */
async function clean(p) {
  for (const size of [wide, phone]) {
    await p.setViewportSize(size);
    for (const theme of ['light', 'dark']) {
      await useTheme(p, theme);
      assert.deepEqual(await axe(p), [], `${theme} ${size.width}`);
    }
  }
  await p.setViewportSize(p === other ? phone : wide);
  await settled(p);
}

async function toCode(p, secret = password, name = 'admin') {
  await heading(p, 'Sign in').waitFor();
  await p.getByLabel('Name').fill(name);
  await p.getByLabel('Password', { exact: true }).fill(secret);
  await click(p, 'Sign in');
}

/** Everything that the page shows or keeps. */
const kept = (p) => p.evaluate(() => document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href + [...document.querySelectorAll('input')].map((e) => e.value).join());

test('the offer after the first deploy leads to two-factor, and a code turns it on', async () => {
  await page.goto(`${studio.base}/`);
  const offer = page.getByRole('region', { name: 'Two-factor is off' });
  await offer.getByRole('link', { name: 'Turn on two-factor' }).first().click();
  await heading(page, 'Account').waitFor();
  await click(page.getByRole('main'), 'Turn on two-factor');

  const first = dialog(page, 'Turn on two-factor');
  await first.getByLabel('Password', { exact: true }).fill('not the password');
  await click(first, 'Continue');
  await first.getByText(/password is wrong/i).waitFor();
  await first.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');

  const scan = dialog(page, 'Add this server to the app');
  const image = scan.getByRole('img', { name: /QR code/ });
  await image.waitFor();
  assert.ok(await image.evaluate((e) => e.decode().then(() => e.naturalWidth > 20)), 'the QR code is not drawn');
  await clean(page);
  await click(scan, 'Copy secret');
  app = new Authenticator(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(await scan.getByRole('link', { name: /app on this device/ }).getAttribute('href'), /^otpauth:\/\/totp\//);
  await scan.getByLabel('Code').fill(app.wrong());
  await scan.getByText(/code is wrong/i).waitFor();
  assert.equal(await scan.getByLabel('Code').inputValue(), '');
  await scan.getByLabel('Code').pressSequentially(await app.code()); // the last digit sends

  const box = dialog(page, 'Store the recovery codes');
  const list = box.getByRole('list', { name: 'Recovery codes' });
  await list.waitFor();
  codes = await list.getByRole('listitem').allInnerTexts();
  assert.equal(codes.length, 10);
  assert.equal(new Set(codes).size, 10);
  await clean(page);
  await page.keyboard.press('Escape');
  assert.ok(await list.isVisible(), 'Escape took the codes away');
  assert.ok(await box.getByRole('button', { name: 'Done' }).isDisabled());
  await click(box, 'Copy codes');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), codes.join('\n'));
  const [file] = await Promise.all([page.waitForEvent('download'), click(box, 'Download')]);
  const text = readFileSync(await file.path(), 'utf8');
  assert.ok(codes.every((code) => text.includes(code)));
  await page.emulateMedia({ media: 'print' });
  const printed = await page.evaluate(() => document.body.innerText);
  await page.emulateMedia({ media: null });
  assert.ok(codes.every((code) => printed.includes(code)) && !printed.includes('Sessions'), `printed: ${printed}`);
  await box.getByText('I stored the codes').click();
  await click(box, 'Done');

  await page.getByText('10 codes of 10 left').waitFor();
  await offer.waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement?.closest('#two-factor')); // the button that opened all this is gone
  const rest = await kept(page);
  assert.ok(codes.every((code) => !rest.includes(code)), 'a recovery code stayed'); // case 64
  assert.deepEqual(page.findings, []);
});

test('signing in takes a code: a wrong one stays there, a right one goes on to where it came from', async () => {
  await click(page, 'Account');
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  await page.goto(`${studio.base}/tools`);
  await toCode(page);
  await heading(page, 'Two-factor code').waitFor();
  const field = page.getByLabel('Code');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.ok(await field.evaluate((e) => e === document.activeElement));
  await clean(page);
  await field.fill(app.wrong());
  await page.getByRole('alert').getByText(/code is wrong/i).waitFor();
  assert.equal((await here.cookies()).some((c) => c.name === 'studio_session' && c.value), false); // case 59
  const code = await app.code();
  await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`); // as pasted from an app that groups them
  await heading(page, 'Tools').waitFor();
  assert.deepEqual(page.findings, []);
});

test('a recovery code signs in once', async () => { // case 63
  await other.goto(`${studio.base}/account`);
  await toCode(other);
  await click(other, 'Use a recovery code');
  await other.getByText('studio reset-password --disable-2fa').waitFor();
  await clean(other);
  await other.getByLabel('Recovery code').fill(codes[0].toUpperCase());
  await click(other, 'Sign in');
  await heading(other, 'Account').waitFor();
  await other.getByText('9 codes of 10 left').waitFor();

  const third = await visit(browser, studio, { signedIn: false });
  const again = await watched(third, studio);
  await again.goto(`${studio.base}/login`);
  await toCode(again);
  await click(again, 'Use a recovery code');
  await again.getByLabel('Recovery code').fill(codes[0]);
  await click(again, 'Sign in');
  await again.getByRole('alert').getByText(/wrong or was used/i).waitFor();
  assert.deepEqual([...other.findings, ...again.findings], []);
  await third.close();
});

test('ending another session signs it out at once; its page waits for password and code, and loses nothing', async () => {
  await other.goto(`${studio.base}/settings/general`);
  await other.getByLabel('Server name').fill('typed-before-the-end');
  await page.goto(`${studio.base}/account`);
  const sessions = page.getByRole('region', { name: 'Sessions' });
  await sessions.getByText('This session').waitFor();
  assert.equal(await sessions.getByRole('listitem').count(), 2);
  await sessions.getByRole('button', { name: /^End the session of/ }).click();
  const sure = page.getByRole('alertdialog', { name: /^End the session of/ });
  assert.equal(await sure.getByRole('button', { name: 'Cancel' }).evaluate((e) => e === document.activeElement), true);
  await click(sure, 'End session');
  await sure.waitFor({ state: 'detached' });
  await sessions.getByRole('listitem').nth(1).waitFor({ state: 'detached' });
  assert.equal(await sessions.getByRole('listitem').count(), 1);

  const over = dialog(other, 'Sign in to continue');
  await over.waitFor(); // its event stream ended with it
  await over.getByLabel('Password', { exact: true }).fill(password);
  await click(over, 'Sign in');
  await over.getByLabel('Code').waitFor();
  await clean(other);
  await over.getByLabel('Code').fill(await app.code());
  await over.waitFor({ state: 'detached' });
  assert.equal(await other.getByLabel('Server name').inputValue(), 'typed-before-the-end');
  await other.getByRole('button', { name: 'Discard' }).click();
  assert.deepEqual([...page.findings, ...other.findings], []);
});

test('a changed password ends every other session, and only the new one signs in', async () => {
  await page.goto(`${studio.base}/account`);
  await click(page, 'Change password');
  const box = dialog(page, 'Change password');
  await box.getByLabel('Current password').and(page.locator(':focus')).waitFor();
  await click(box, 'Change password');
  await box.getByText('Enter the current password.').waitFor();
  await box.getByLabel('Current password').fill('not the password');
  await box.getByLabel('New password').fill('another battery staple 8');
  await click(box, 'Change password');
  await box.getByText(/current password is wrong/i).waitFor();
  await box.getByLabel('Current password').fill(password);
  await click(box, 'Change password');
  await box.waitFor({ state: 'detached' });
  const old = password;
  password = 'another battery staple 8';
  await page.getByText('Just now', { exact: false }).first().waitFor();

  const over = dialog(other, 'Sign in to continue');
  await over.waitFor();
  await over.getByLabel('Password', { exact: true }).fill(old);
  await click(over, 'Sign in');
  await over.getByText(/name or the password is wrong/i).waitFor();
  await over.getByLabel('Password', { exact: true }).fill(password);
  await click(over, 'Sign in');
  await click(over, 'Use a recovery code');
  await over.getByLabel('Recovery code').fill(codes[1]);
  await click(over, 'Sign in');
  await over.waitFor({ state: 'detached' });
  assert.deepEqual([...page.findings, ...other.findings], []);
});

test('a changed name signs in, and every other session ends', async () => {
  await click(page, 'Change name');
  const box = dialog(page, 'Change name');
  await box.getByLabel('New name').fill('root-of-shop');
  await box.getByLabel('Current password').fill(password);
  await click(box, 'Change name');
  await box.waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Name and password' }).getByText('root-of-shop').waitFor();
  assert.equal((await studio.request('GET', '/api/v1/auth/me')).status, 401); // the session that setup made
});

test('new recovery codes replace the old ones', async () => {
  await click(page, 'Make new codes');
  const box = dialog(page, 'Make new recovery codes');
  await box.getByLabel('Password', { exact: true }).fill(password);
  await box.getByLabel('Code').fill(await app.code());
  await click(box, 'Make new codes');
  const shown = dialog(page, 'Store the new recovery codes');
  await shown.getByRole('list', { name: 'Recovery codes' }).waitFor();
  const fresh = await shown.getByRole('listitem').allInnerTexts();
  assert.equal(fresh.length, 10);
  assert.ok(fresh.every((code) => !codes.includes(code)));
  await shown.getByText('I stored the codes').click();
  await click(shown, 'Done');
  await page.getByText('10 codes of 10 left').waitFor();
  codes = fresh;
});

test('turning two-factor off takes the password and a code; then the password is enough again', async () => {
  await click(page, 'Turn off');
  const box = dialog(page, 'Turn off two-factor');
  await box.getByLabel('Password', { exact: true }).fill(password);
  await box.getByLabel('Code').fill(app.wrong());
  await click(box, 'Turn off two-factor');
  await box.getByText(/code is wrong/i).waitFor();
  await click(box, 'Use a recovery code');
  await box.getByLabel('Recovery code').fill(codes[0]);
  await click(box, 'Turn off two-factor');
  await box.waitFor({ state: 'detached' });
  await page.getByRole('main').getByRole('button', { name: 'Turn on two-factor' }).waitFor();

  await click(page, 'Account');
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  await toCode(page, password, 'root-of-shop');
  await heading(page, 'Home').waitFor();
  assert.deepEqual(page.findings, []);
});

test('preferences stay with the browser: the theme, and shortcuts of one key', async () => {
  await page.goto(`${studio.base}/account`);
  const card = page.getByRole('region', { name: 'Preferences' });
  await click(card, 'Dark');
  await card.getByRole('switch', { name: 'Shortcuts of one key' }).click();
  await page.reload();
  await heading(page, 'Account').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await Promise.all([page.keyboard.press('g'), page.keyboard.press('t')]); // a pause would end the sequence
  await idle(page, 300);
  assert.ok(await heading(page, 'Account').isVisible());
  await card.getByRole('switch', { name: 'Shortcuts of one key' }).click();
  await Promise.all([page.keyboard.press('g'), page.keyboard.press('t')]); // a pause would end the sequence
  await heading(page, 'Tools').waitFor();
});

test('the offer that was declined does not come again', async () => {
  const offer = page.getByRole('region', { name: 'Two-factor is off' });
  await offer.getByRole('button', { name: /Do not offer/ }).click();
  await offer.waitFor({ state: 'detached' });
  await page.reload();
  await heading(page, 'Tools').waitFor();
  await idle(page, 400);
  assert.equal(await offer.count(), 0);
});

test('after five wrong passwords sign-in is locked, with the time left', async () => {
  const stranger = await visit(browser, studio, { signedIn: false });
  const p = await watched(stranger, studio);
  await p.goto(`${studio.base}/login`);
  await heading(p, 'Sign in').waitFor();
  await p.getByLabel('Name').fill('root-of-shop');
  for (let n = 0; n < 8; n++) {
    await p.getByLabel('Password', { exact: true }).fill(`wrong ${n}`);
    const answered = p.waitForResponse('**/auth/login');
    await click(p, 'Sign in');
    await answered;
    await idle(p, 100);
    if (await p.getByText(/Try again in 1\d min/).count()) break;
  }
  await p.getByText(/Too many failed attempts\. Try again in 1\d min/).waitFor();
  assert.equal(await p.getByLabel('Name').inputValue(), 'root-of-shop');
  assert.deepEqual(await axe(p), []);
  assert.deepEqual(p.findings, []);
  await stranger.close();
});
