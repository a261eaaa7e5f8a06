// Screenshots of every state, both themes, desktop and phone: node scripts/shots.mjs DIR [NAME].
import fs from 'node:fs';
import { states } from '../test/fixtures/states.mjs';
import { open, start } from './browser.mjs';

const [out = 'shots', only] = process.argv.slice(2);
fs.mkdirSync(out, { recursive: true });
const { base, browser, stop } = await start();
for (const width of [1440, 390]) {
  for (const theme of ['light', 'dark']) {
    for (const state of states.filter(([name]) => !only || name.includes(only))) {
      const phone = width < 500;
      const context = await browser.newContext({
        viewport: { width, height: phone ? 844 : 900 },
        hasTouch: phone,
        isMobile: phone,
        reducedMotion: 'reduce',
      });
      await context.addCookies([{ name: 'theme', value: theme, url: base }]);
      const findings = [];
      try {
        const page = await open(context, base, state, findings);
        await page.screenshot({ path: `${out}/${state[0]}-${width}-${theme}.png` });
      } catch (error) {
        findings.push(String(error.message).split('\n')[0]);
      }
      if (findings.length > 0) console.log(state[0], width, theme, findings);
      await context.close();
    }
  }
}
await stop();
