// Every state of test/fixtures/states.mjs in both themes: CSP violations, page and console errors, external requests,
// sideways scrolling at 320 px, then axe (A, AA, 2.2, best practice). Exits 1 on any finding. `npm run audit -- NAME`.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { states } from '../test/fixtures/states.mjs';
import { open, start } from './browser.mjs';

const only = process.argv[2];
const chosen = states.filter(([name]) => !only || name.includes(only));
const axe = fs.readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const { base, browser, stop } = await start();

async function runAxe(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((t) => window.axe.run(document, { runOnly: t }), tags);
  return violations.map((v) => {
    const [node] = v.nodes;
    const why = v.id === 'color-contrast' ? node.any[0]?.message.slice(0, 120) : '';
    return `axe ${v.id} ×${v.nodes.length} ${node.target.join(' ').slice(0, 90)} ${why}`;
  });
}

const passes = [
  { name: 'csp', width: 1440, bypassCSP: false, check: (p) => p.evaluate(() => window.violations) },
  { name: 'axe', width: 1440, bypassCSP: true, check: runAxe },
  {
    name: 'narrow',
    width: 320,
    bypassCSP: false,
    check: (p) =>
      p.evaluate(() => {
        const wide = document.documentElement.scrollWidth - innerWidth;
        return wide > 0 ? [`scrolls sideways by ${wide} px`] : [];
      }),
  },
];

let bad = 0;
for (const pass of passes) {
  for (const theme of pass.name === 'narrow' ? ['light'] : ['light', 'dark']) {
    for (const state of chosen) {
      const context = await browser.newContext({
        viewport: { width: pass.width, height: pass.width < 500 ? 640 : 900 },
        bypassCSP: pass.bypassCSP,
        reducedMotion: 'reduce',
      });
      await context.addCookies([{ name: 'theme', value: theme, url: base }]);
      await context.addInitScript(() => {
        window.violations = [];
        document.addEventListener('securitypolicyviolation', (e) => {
          window.violations.push(`csp ${e.effectiveDirective} ${e.sourceFile ?? ''}`);
        });
      });
      const findings = [];
      try {
        // Menus in the top bar that a phone does not show have nothing to open there.
        if (pass.name === 'narrow' && state[0] === 'menu-theme') continue;
        findings.push(...(await pass.check(await open(context, base, state, findings))));
      } catch (error) {
        findings.push(String(error.message).split('\n')[0]);
      } finally {
        await context.close();
      }
      if (findings.length > 0) {
        bad++;
        console.log(pass.name, theme, state[0], [...new Set(findings)]);
      }
    }
  }
}
await stop();
console.log(bad ? `${bad} states with findings` : `clean: ${chosen.length} states`);
process.exit(bad ? 1 : 0);
