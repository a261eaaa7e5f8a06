// Builds the gallery of primitives and drives it under the strict CSP: keyboard, layers, editors, panes, cards, axe.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createStaticServer } from './serve.mjs';

const here = (p) => fileURLToPath(new URL(p, import.meta.url));
execFileSync(
  here('../node_modules/.bin/vite'),
  ['build', '--config', here('../test/gallery/vite.config.ts'), '--logLevel', 'warn'],
  { stdio: 'inherit' },
);
const server = createStaticServer((_req, res) => res.writeHead(404).end(), here('../dist-gallery/'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--headless=new', '--disable-gpu'],
});
const axe = fs.readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const shots = process.argv[2];

async function newPage({ width = 1440, bypassCSP = false, theme = 'light' } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 1000 }, bypassCSP, reducedMotion: 'reduce' });
  await context.addCookies([{ name: 'theme', value: theme, url: base }]);
  await context.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (e) =>
      window.violations.push(`${e.effectiveDirective} ${e.sourceFile}`),
    );
  });
  const page = await context.newPage();
  page.errors = [];
  page.on('pageerror', (e) => page.errors.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && page.errors.push(m.text()));
  await page.goto(base);
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (width > 640) await page.getByRole('textbox', { name: /SQL query/ }).waitFor();
  return page;
}

const steps = {
  async editor(page) {
    const editor = page.getByRole('textbox', { name: /SQL query/ });
    assert.equal(await page.locator('.cm-parameter').count(), 1, 'only the real placeholder is marked');
    assert.equal(await page.locator('.cm-lintRange-error').count(), 1);
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('\nand orders.');
    await page.getByRole('listbox').waitFor();
    assert.match(await page.getByRole('option').first().textContent(), /id|placed_at|total/, 'columns come first');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+Enter');
    assert.equal(await page.getByLabel('Runs').textContent(), '1');
    assert.match(await page.getByLabel('Text').textContent(), /and orders\.$/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    const left = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    assert.equal(left, 'Width of SQL', 'Tab leaves the editor for what comes next');
  },
  async panes(page) {
    const splitter = page.getByRole('separator', { name: 'Width of SQL' });
    await splitter.focus();
    await page.keyboard.press('ArrowLeft');
    assert.equal(await splitter.getAttribute('aria-valuenow'), '48');
    await page.keyboard.press('End');
    const wide = Number(await splitter.getAttribute('aria-valuenow'));
    assert.ok(wide > 60 && wide < 70, `the neighbour keeps its least width, got ${wide}`);
    await page.reload();
    await splitter.waitFor();
    assert.equal(Number(await splitter.getAttribute('aria-valuenow')), wide, 'the width is remembered');
    await splitter.focus();
    await page.keyboard.press('Enter');
    assert.equal(await splitter.getAttribute('aria-valuenow'), '50');
  },
  async list(page) {
    await page.getByRole('link', { name: 'alpha' }).focus();
    await page.keyboard.press('j');
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'beta');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    const chosen = await page.locator('tr[aria-selected="true"]').count();
    assert.equal(chosen, 3, 'Shift extends the selection');
    await page.keyboard.press('Enter');
    assert.match(page.url(), /#delta$/);
    await page.getByRole('cell', { name: 'SQLite' }).first().click();
    assert.match(page.url(), /#alpha$/, 'a click beside the link opens the row');
    await page.getByRole('button', { name: 'Name' }).click();
    assert.equal(await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort'), 'descending');
  },
  async select(page) {
    await page.getByRole('combobox', { name: 'TLS' }).press('Enter');
    await page.getByRole('option', { name: /verify-full/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    assert.match(await page.getByRole('combobox', { name: 'TLS' }).textContent(), /verify-full/);
  },
  async combobox(page) {
    const table = page.getByRole('combobox', { name: 'Table' });
    await table.press('Enter');
    await page.getByRole('combobox', { name: 'Search' }).fill('disa');
    await page.getByRole('option', { name: /disable/ }).waitFor();
    assert.equal(await page.getByRole('option').count(), 1);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    assert.equal(await table.textContent(), 'disable');
  },
  async form(page) {
    await page.getByRole('button', { name: 'Form', exact: true }).click();
    await page.getByRole('dialog').getByRole('combobox', { name: 'Scope' }).press('Enter');
    await page.getByRole('option', { name: /require/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Form', 'the focus returns');
  },
  async confirm(page) {
    await page.getByRole('button', { name: 'Confirm', exact: true }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('button', { name: 'Delete connection' }).click();
    await dialog.getByText('Type Warehouse to continue.').waitFor();
    await page.keyboard.type('Warehouse');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    assert.equal(await page.getByLabel('Runs').textContent(), '1000');
  },
  async toast(page) {
    for (let n = 0; n < 4; n++) await page.getByRole('button', { name: 'Toast', exact: true }).click();
    assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 3, 'at most three');
    await page.getByRole('button', { name: 'Undo' }).last().click();
    assert.equal(await page.getByLabel('Runs').textContent(), '100');
  },
};
const opened = {
  closed: async () => undefined,
  select: (page) => page.getByRole('combobox', { name: 'TLS' }).click(),
  combobox: (page) => page.getByRole('combobox', { name: 'Table' }).click(),
  form: (page) => page.getByRole('button', { name: 'Form', exact: true }).click(),
  'form-select': async (page) => {
    await page.getByRole('button', { name: 'Form', exact: true }).click();
    await page.getByRole('dialog').getByRole('combobox').click();
  },
  confirm: (page) => page.getByRole('button', { name: 'Confirm', exact: true }).click(),
  toast: (page) => page.getByRole('button', { name: 'Toast', exact: true }).click(),
  tooltip: (page) => page.getByRole('button', { name: 'More' }).hover(),
};

let bad = 0;
const report = (name, findings) => {
  if (findings.length === 0) return;
  bad++;
  console.log(name, findings);
};
for (const [name, run] of Object.entries(steps)) {
  const page = await newPage();
  page.setDefaultTimeout(5000);
  const findings = [];
  try {
    await run(page);
  } catch (error) {
    findings.push(error.message.slice(0, 1500));
  }
  report(name, [...findings, ...page.errors, ...(await page.evaluate(() => window.violations))]);
  await page.context().close();
}
for (const theme of ['light', 'dark']) {
  for (const [name, act] of Object.entries(opened)) {
    const page = await newPage({ bypassCSP: true, theme });
    await act(page);
    // Long enough for a tooltip.
    await page.waitForTimeout(700);
    if (shots) await page.screenshot({ path: `${shots}/gallery-${name}-${theme}.png` });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
    );
    report(
      `axe ${theme} ${name}`,
      violations.map((v) => `${v.id} ×${v.nodes.length} ${v.nodes[0].target.join(' ').slice(0, 100)}`),
    );
    await page.context().close();
  }
}
const phone = await newPage({ width: 320 });
report(
  '320 px',
  (await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)) > 0 ? ['scrolls sideways'] : [],
);
if (shots) await phone.screenshot({ path: `${shots}/gallery-320.png`, fullPage: true });
await browser.close();
server.closeAllConnections();
server.close();
console.log(bad ? `${bad} findings` : 'clean');
process.exit(bad ? 1 : 0);
