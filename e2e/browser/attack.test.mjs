// Attacks that need a browser: an open setup in a frame, every page under its content security policy, a UI that needs nobody else.
import assert from 'node:assert/strict';
import { createServer, get } from 'node:http';
import { after, before, test } from 'node:test';
import { idle, launch, visit, watched } from '../lib/browser.mjs';
import { pagesOf } from '../lib/pages.mjs';
import { Studio } from '../lib/studio.mjs';

/** `make test` looks at some of the pages here; browser/pages.test.mjs sees all of them, and so does this in `make attack`. */
const whole = Boolean(process.env.STUDIO_ATTACK || process.env.STUDIO_VERIFY);

let studio, fresh, browser, ids;

before(async () => {
  [studio, fresh, browser] = await Promise.all([Studio.start(), Studio.start(), launch()]);
  await studio.setup();
  await studio.api('POST', 'sample', {});
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the sample to serve');
  ids = { connection: (await studio.api('GET', 'connections')).items[0].id, tool: (await studio.api('GET', 'tools')).items[0].id };
});
after(async () => {
  await browser?.close();
  await Promise.all([studio?.stop(), fresh?.stop()]);
});

test('the setup page of a studio without an admin cannot be framed', async () => { // case 10
  const code = await fresh.setupCode();
  const address = `${fresh.base}/setup#code=${code}`;
  const outer = createServer((_, res) => res.setHeader('content-type', 'text/html').end(`<!doctype html><title>outer</title><iframe src="${address}"></iframe><object data="${address}"></object><embed src="${address}">`));
  await new Promise((done) => outer.listen(0, '127.0.0.1', done));
  const context = await visit(browser, fresh, { signedIn: false });
  try {
    const page = await context.newPage();
    await page.goto(address); // it is there for whoever opens it
    await page.getByLabel('Password', { exact: true }).first().waitFor();
    for (const host of ['127.0.0.1', 'localhost']) { // of the same site and of another one
      await page.goto(`http://${host}:${outer.address().port}/`);
      await page.waitForTimeout(500);
      for (const frame of page.frames().slice(1)) {
        const text = frame.url().startsWith('chrome-error:') ? '' : await frame.evaluate(() => document.body?.innerText ?? '').catch(() => '');
        assert.equal(text, '', `shown in a frame on ${host}: ${frame.url()}`);
      }
    }
  } finally {
    outer.close();
    await context.close();
  }
});

/** The directives of a content security policy. */
const directives = (policy) => new Map(policy.split(';').map((d) => d.trim().split(/\s+/)).map(([name, ...values]) => [name, values]));

test('every page keeps to a strict content security policy and asks nobody but the studio', async () => { // cases 47 and 223
  const outside = [];
  const context = await visit(browser, studio);
  await context.route((url) => url.origin !== studio.base, (route) => { // there is no network
    outside.push(route.request().url());
    return route.abort();
  });
  const page = await watched(context, studio);
  for (const [name, path] of pagesOf(ids).filter((_, i) => whole || i % 5 === 0)) {
    const res = await page.goto(`${studio.base}${path}`);
    const policy = directives(res.headers()['content-security-policy']);
    assert.deepEqual(policy.get('default-src'), ["'none'"], name); // object-src too
    assert.deepEqual(policy.get('script-src'), ["'self'"], name);
    assert.deepEqual(policy.get('base-uri'), ["'none'"], name);
    assert.deepEqual(policy.get('frame-ancestors'), ["'none'"], name);
    for (const [directive, values] of policy) {
      assert.ok(!values.some((v) => /unsafe-|\*|^https?:|^data:$/.test(v) && !(directive === 'img-src' && v === 'data:')), `${name}: ${directive} ${values.join(' ')}`);
    }
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await idle(page);
  }
  const signedOut = await watched(await visit(browser, fresh, { signedIn: false }), fresh);
  for (const path of ['/setup', '/login']) {
    await signedOut.goto(`${fresh.base}${path}`);
    await signedOut.getByRole('heading', { level: 1 }).first().waitFor();
  }
  assert.deepEqual([page.findings, signedOut.findings, outside], [[], [], []]);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(!kept.includes(studio.password) && !kept.includes(studio.cookie.split('=')[1]), 'a secret is kept in the browser');
  await context.close();
  await signedOut.context().close();
});

test('a policy that is broken would be seen', async () => {
  const context = await visit(browser, studio);
  const page = await watched(context, studio);
  await page.goto(`${studio.base}/`);
  await page.evaluate(() => {
    document.body.append(Object.assign(document.createElement('img'), { src: 'https://evil.example/x.png' }));
    try {
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.pwned = 1' }));
    } catch { /* refused on the spot */ }
  });
  for (const directive of ['img-src', 'require-trusted-types-for']) {
    await studio.until(() => page.findings.some((f) => f.startsWith(`content security policy: ${directive} `)), `a report of ${directive}`);
  }
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await context.close();
});

/** One file as the studio serves it; fetch would not say that it navigates. */
function load(path, navigate) {
  return new Promise((done, fail) => {
    get(`${studio.base}${path}`, { headers: navigate ? { 'sec-fetch-mode': 'navigate' } : {} }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (s) => { text += s; }).on('end', () => done({ status: res.statusCode, type: res.headers['content-type'], text }));
    }).on('error', fail);
  });
}

test('what was built has no inline script and loads nothing from elsewhere', async () => { // case 223
  const seen = new Set();
  const look = async (path, navigate) => {
    if (seen.has(path)) return;
    seen.add(path);
    const { status, type, text } = await load(path, navigate);
    assert.equal(status, 200, path);
    if (type.startsWith('text/html')) {
      for (const [, attributes, body] of text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) assert.ok(/\bsrc="\//.test(attributes) && body.trim() === '', `${path}: an inline script`);
      assert.doesNotMatch(text, /\son[a-z]+\s*=|<style|style="|javascript:/i, path);
      for (const [, url] of text.matchAll(/(?:src|href|action)="([^"]*)"/g)) assert.ok(/^\/(?!\/)|^#/.test(url), `${path} leads to ${url}`);
    }
    if (type.startsWith('text/css')) {
      assert.doesNotMatch(text, /@import|url\(\s*["']?(?:https?:)?\/\//, path);
    }
    if (type.includes('javascript')) {
      assert.doesNotMatch(text, /\bimport\s*\(\s*["'`](?:https?:)?\/\/|\bfrom\s*["']https?:|new (?:Worker|SharedWorker|WebSocket|EventSource)\(\s*["'`](?:https?|wss?):|\bfetch\(\s*["'`]https?:|importScripts\(\s*["'`]http|\beval\(|new Function\(|sourceMappingURL/, path);
    }
    for (const [, url] of text.matchAll(/["'(`](\/?assets\/[\w.-]+\.(?:js|css|woff2|svg))["')`]/g)) await look(url.startsWith('/') ? url : `/${url}`, false);
  };
  for (const page of ['/', '/login', '/setup']) await look(page, true);
  assert.ok(seen.size > 10, `only ${[...seen]} were found`);
});
