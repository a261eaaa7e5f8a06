// What a browser must never give away: cookies, secrets after their dialog closed, stored markup, frames, the way back after signing out.
// The back/forward cache is on here, as it is for people.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { idle, launch, visit, watched } from '../lib/browser.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, browser, connection;
const password = 'correct horse battery 7';
const canary = 'canary-7f3a91c2e5d84b60';
const markup = `<img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>{{7*7}} javascript:window.pwned=1`;

before(async () => {
  studio = await Studio.start();
  await studio.setup('admin', password);
  await studio.api('POST', 'sample', {});
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the sample to serve');
  connection = (await studio.api('GET', 'connections')).items[0];
  // Playwright switches the back/forward cache off; people have it.
  browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
});
after(async () => {
  await browser?.close();
  await studio?.stop();
});

async function signIn(page, path = '/') {
  await page.goto(`${studio.base}${path}`);
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${studio.base}${path}`);
}

/** Everything the browser keeps or shows, as one text: the document with shadow roots, the address, every kind of storage. */
async function everything(page) {
  return page.evaluate(async () => {
    const texts = [location.href, window.name, JSON.stringify(history.state), JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
    const walk = (root) => {
      texts.push(root.documentElement?.outerHTML ?? root.innerHTML);
      for (const e of root.querySelectorAll('*')) {
        if (e.shadowRoot) walk(e.shadowRoot);
        if ('value' in e && typeof e.value === 'string') texts.push(e.value);
      }
    };
    walk(document);
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((done, fail) => {
        const open = indexedDB.open(name);
        open.onsuccess = () => done(open.result);
        open.onerror = () => fail(open.error);
      });
      for (const store of db.objectStoreNames) {
        const all = await new Promise((done) => {
          const read = db.transaction(store).objectStore(store).getAll();
          read.onsuccess = () => done(read.result);
        });
        texts.push(`indexeddb ${name} ${store} ${JSON.stringify(all)}`);
      }
      db.close();
    }
    for (const key of await caches.keys()) {
      const cache = await caches.open(key);
      for (const request of await cache.keys()) texts.push(await (await cache.match(request)).text());
    }
    return texts.join('\n');
  });
}

test('the session cookie is HttpOnly, SameSite=Lax, for the whole path and for this host only', async () => { // case 32
  const context = await visit(browser, studio, { signedIn: false });
  const page = await watched(context, studio);
  const header = page.waitForResponse((r) => r.url().endsWith('/api/v1/auth/login')).then((r) => r.headerValue('set-cookie'));
  await signIn(page);
  const set = await header;
  assert.match(set, /^studio_session=[^;]{20,}/);
  assert.match(set, /; ?HttpOnly/i);
  assert.match(set, /; ?SameSite=Lax/i);
  assert.match(set, /; ?Path=\/(;|$)/i);
  assert.doesNotMatch(set, /Domain=/i);
  const [cookie] = (await context.cookies()).filter((c) => c.name === 'studio_session');
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path, cookie.domain], [true, 'Lax', '/', '127.0.0.1']);
  assert.ok(!(await page.evaluate(() => document.cookie)).includes('studio_session'));
  await context.close();
});

test('a token is nowhere once its box was closed, and no answer gives it again', async () => {
  const context = await visit(browser, studio);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: studio.base });
  const page = await watched(context, studio);
  const answers = [];
  await page.goto(`${studio.base}/connect`);
  await page.getByRole('button', { name: 'Create token' }).click();
  await page.getByRole('button', { name: 'Copy token' }).click();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(token.length > 30);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText(token, { exact: true }).waitFor();
  await page.getByRole('button', { name: 'I stored it' }).click();
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  page.on('response', (r) => answers.push(r.text().catch(() => '')));
  assert.ok(!(await everything(page)).includes(token), 'the token stayed in the page');
  await page.reload();
  await page.getByRole('button', { name: 'Create token' }).waitFor();
  assert.ok(!(await everything(page)).includes(token), 'the token came back with a reload');
  await context.close(); // ends the event stream, whose text is only known then
  assert.ok((await Promise.all(answers)).every((text) => !text.includes(token)));
});

test('markup in stored names, descriptions, notes and values is shown as text', async () => { // case 48
  const [tool] = (await studio.api('GET', 'tools')).items;
  await studio.api('PATCH', `connections/${connection.id}`, { version: connection.version, name: markup.slice(0, 100) });
  await studio.api('PATCH', `tools/${tool.id}`, { version: tool.version, title: markup, description: `Finds customers. ${markup}` });
  const config = await studio.api('GET', 'server/config');
  await studio.api('PATCH', 'server/config', { version: config.version, instructions: markup, global_variables: { note: markup } });
  await studio.api('POST', 'mcp-tokens', { name: markup.slice(0, 60) });
  await studio.api('POST', 'deploy', { note: markup, accept_warnings: true });
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).revision === 2, 'revision 2 to serve');

  const context = await visit(browser, studio);
  const page = await watched(context, studio);
  const shownOn = [];
  const pages = ['/', '/connections', `/connections/${connection.id}`, `/connections/${connection.id}?tab=used-by`, '/tools', `/tools/${tool.id}`, `/tools/${tool.id}?tab=definition`,
    `/tools/${tool.id}?tab=history`, '/deploy', '/deploy?tab=logs', '/deploy?tab=revisions', '/connect', '/settings/general', '/settings/variables'];
  for (const path of pages) {
    await page.goto(`${studio.base}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await idle(page);
    const seen = await page.evaluate(() => ({
      pwned: window.pwned,
      images: document.querySelectorAll('img[src="x"]').length,
      links: [...document.querySelectorAll('a[href]')].filter((a) => a.href.startsWith('javascript:')).length,
      text: document.body.innerText + [...document.querySelectorAll('input, textarea')].map((e) => e.value).join('\n'),
    }));
    assert.deepEqual([path, seen.pwned, seen.images, seen.links], [path, undefined, 0, 0]);
    if (seen.text.includes('<img src=x')) shownOn.push(path);
  }
  for (const path of ['/tools', '/connect', '/deploy?tab=revisions', '/settings/general', '/settings/variables']) assert.ok(shownOn.includes(path), `${path} does not show the text; ${shownOn} do`);
  assert.deepEqual(page.findings, []);
  await context.close();
});

test('markup in an error of the server is shown as text', async () => { // case 48
  const context = await visit(browser, studio);
  const page = await watched(context, studio);
  await page.route('**/api/v1/server/config', (route) => route.fulfill({ status: 422, contentType: 'application/json', body: JSON.stringify({ detail: markup, code: 'invalid', fields: {}, request_id: '<b>1</b>' }) }));
  await page.goto(`${studio.base}/settings/general`);
  await page.getByRole('alert').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /<img src=x onerror/);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.deepEqual(page.findings, []);
  await context.close();
});

test('no page can be framed, whatever it answers', async () => { // case 45
  const outer = createServer((req, res) => res.setHeader('content-type', 'text/html').end(`<!doctype html><title>outer</title><iframe src="${studio.base}${req.url}"></iframe>`));
  await new Promise((done) => outer.listen(0, '127.0.0.1', done));
  const context = await visit(browser, studio);
  const page = await context.newPage();
  try {
    for (const path of ['/', '/login', '/setup', '/tools', '/no/such/page', '/api/health', '/api/docs', '/api/v1/tools', '/api/v1/nothing', '/assets/none.js']) {
      const res = await studio.request('GET', path);
      assert.equal(res.headers.get('x-frame-options'), 'DENY', path);
      assert.match(res.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path);
      await page.goto(`http://127.0.0.1:${outer.address().port}${path}`); // until its frame has loaded, too (HTML standard, "completely loaded")
      const frame = page.frames()[1];
      assert.ok(!frame || frame.url().startsWith('chrome-error:') || (await frame.evaluate(() => document.body?.innerText ?? '').catch(() => '')) === '', `${path} is shown in a frame: ${frame?.url()}`);
    }
  } finally {
    outer.close();
    await context.close();
  }
});

test('after signing out the way back shows nothing that was there', async () => { // case 54
  const context = await visit(browser, studio, { signedIn: false });
  const page = await watched(context, studio);
  await signIn(page, '/settings/general');
  await page.getByLabel('Server name').waitFor();
  await page.getByRole('link', { name: /^Tools/ }).first().click();
  await page.getByText('top_customers').first().waitFor();
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL('**/login');
  assert.equal((await context.cookies()).filter((c) => c.name === 'studio_session' && c.value).length, 0);
  for (let back = 0; back < 2; back++) {
    await page.evaluate(() => { setTimeout(() => history.back()); }); // this document may end with it
    for (const end = Date.now() + 1_500; Date.now() < end; await page.waitForTimeout(20)) { // not for a moment
      const text = await page.evaluate(() => { // what nobody sees has its text too (HTML standard, innerText)
        const hidden = getComputedStyle(document.documentElement).display === 'none';
        return hidden ? '' : document.body?.innerText ?? '';
      }).catch(() => ''); // between two documents there is none
      assert.ok(!/top_customers|search_products|Server name/.test(text), `Back ${back + 1} shows: ${text.slice(0, 400)}`);
    }
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    assert.doesNotMatch(await page.locator('body').innerText(), /top_customers|search_products|Server name/);
  }
  await context.close();
});

test('pages that the browser keeps for the way back do not hold the connections of the next one', async () => {
  const context = await visit(browser, studio);
  const page = await watched(context, studio);
  for (const path of ['/', '/tools', '/connections', '/deploy', '/connect', '/settings/general', '/', '/tools', '/deploy?tab=logs', '/connect']) {
    await page.goto(`${studio.base}${path}`); // over HTTP/1.1 there are six for all pages of a server
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(150);
  }
  await studio.api('POST', 'mcp-tokens', { name: 'Came by the stream' });
  await page.getByText('Came by the stream').waitFor();
  await page.evaluate(() => { setTimeout(() => history.back()); }); // this document may end with it
  await page.getByRole('heading', { level: 1, name: 'Deploy' }).waitFor();
  assert.deepEqual(page.findings, []);
  await context.close();
});

test('a saved database password is in no storage, document, address or answer', async () => {
  const context = await visit(browser, studio);
  const page = await watched(context, studio);
  const answers = [];
  page.on('response', (r) => answers.push(r.text().catch(() => '')));
  await page.goto(`${studio.base}/connections/new`);
  await page.getByRole('button', { name: 'PostgreSQL', exact: true }).click();
  await page.getByLabel('Name', { exact: true }).fill('Secretive');
  await page.getByLabel('Host', { exact: true }).fill('127.0.0.1');
  await page.getByLabel('Database', { exact: true }).fill('shop');
  await page.getByLabel('User', { exact: true }).fill('app');
  await page.getByLabel('Password', { exact: true }).fill(canary);
  await idle(page, 1_200); // longer than a draft waits
  assert.ok(!(await page.evaluate(async () => JSON.stringify([...Object.values(localStorage), ...Object.values(sessionStorage)]))).includes(canary));
  await page.keyboard.press('Control+s');
  await page.waitForURL(/\/connections\/(?!new)/);
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.ok(!(await everything(page)).includes(canary), 'the password stayed in the page');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Secretive' }).waitFor();
  await idle(page);
  assert.ok(!(await everything(page)).includes(canary), 'the password came back with a reload');
  assert.deepEqual(page.findings, []);
  await context.close();
  assert.ok((await Promise.all(answers)).every((text) => !text.includes(canary)), 'an answer carries the password');
});
