// One Chromium and one fixture server for the audit and the screenshots.
import { chromium } from 'playwright-core';
import { fixtureApi } from '../test/fixtures/api.mjs';
import { createStaticServer } from './serve.mjs';

export async function start() {
  const server = createStaticServer(fixtureApi);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--headless=new', '--disable-gpu'] });
  const stop = async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  };
  return { base, browser, stop };
}

/** A page in one state; what it did wrong is collected in `findings`. */
export async function open(context, base, [, address, scenario, act], findings) {
  await context.addCookies([{ name: 'scenario', value: scenario, url: base }]);
  const page = await context.newPage();
  page.on('pageerror', (e) => findings.push(`page error: ${String(e).slice(0, 200)}`));
  page.on('console', (m) => {
    // The browser itself logs answers that are errors; the states are made of them.
    if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) findings.push(m.text().slice(0, 200));
  });
  page.on('request', (r) => {
    if (!r.url().startsWith(base) && !/^(data|blob):/.test(r.url())) findings.push(`external request: ${r.url()}`);
  });
  await page.goto(base + address);
  await page.getByRole('heading', { level: 1 }).waitFor({ timeout: 5000 });
  await act?.(page);
  await page.waitForTimeout(350);
  return page;
}
