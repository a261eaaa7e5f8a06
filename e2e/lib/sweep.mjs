// Everything that can be said about a page as it is shown: axe in both themes, wide and on a phone, the content security policy, the
// console, requests to others, sideways scrolling, one heading, a title.
import assert from 'node:assert/strict';
import { axe, phone, settled, sideways, useTheme, visit, watched, wide } from './browser.mjs';

/** How many pages are looked at at the same time, in one file of tests: pages wait for answers and timers half of the time. */
export const atOnce = 2;

/** What the title of every page is like, in every state: an entity that was not loaded has no name yet. */
const titled = /\S+ · Studio$|^Studio$/;

/** Looks at many pages with few tabs: what was loaded once is in the cache of the browser, and a tab that is done shows the next page. */
export class Sweep {
  #browser;
  #contexts = new Map(); // studio and who → one person's browser
  #free = new Map(); // the same → tabs that show nothing of interest any more

  constructor(browser) {
    this.#browser = browser;
  }

  /**
   * Shows an address and says everything that is wrong with it. `prepare` comes before the page is opened and may return what ends it,
   * `shown` waits for the state that is looked at, `act` brings the page there. `within`: the page is reached inside the application, as by a
   * link, when a tab is open. `alone` is for what would be seen by the pages beside it: a draft that stays, a session that ended.
   */
  async check(studio, address, { prepare, act, shown, signedIn = true, sizes = [wide, phone], within = false, alone = false }) {
    const key = `${studio.base} ${signedIn}`;
    const page = await this.#tab(key, studio, signedIn, alone);
    const problems = [];
    let reusable = false;
    try {
      await page.setViewportSize(sizes[0]);
      const release = await prepare?.(page);
      await open(page, `${studio.base}${address}`, within);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await shown?.(page);
      await act?.(page);
      await settled(page);
      problems.push(...(await judge(page, sizes)), ...page.findings);
      if (typeof release === 'function') release();
      reusable = problems.length === 0;
    } finally {
      await this.#done(key, page, reusable, alone);
    }
    assert.deepEqual([...new Set(problems)], []);
  }

  async #tab(key, studio, signedIn, alone) {
    const free = alone ? undefined : this.#free.get(key)?.pop();
    if (free) return free;
    if (!alone && !this.#contexts.has(key)) this.#contexts.set(key, visit(this.#browser, studio, { signedIn }));
    return watched(await (alone ? visit(this.#browser, studio, { signedIn }) : this.#contexts.get(key)), studio);
  }

  async #done(key, page, reusable, alone) {
    if (alone) return page.context().close();
    if (!reusable) return page.close();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    page.pending.clear(); // what was held back ends with the next page
    this.#free.set(key, [...(this.#free.get(key) ?? []), page]);
  }
}

async function open(page, url, within) {
  if (!within || page.url() === 'about:blank') return page.goto(url);
  await useTheme(page, 'light');
  return page.evaluate((to) => history.pushState(null, '', to), url); // the router listens
}

/** The page as it is now, in every size; it is left in the last one, 320 px wide (WCAG 1.4.10) when the phone is among them. */
async function judge(page, sizes) {
  const problems = [];
  const fits = async (width) => {
    const by = await sideways(page);
    if (by > 0) problems.push(`scrolls sideways by ${by} px at ${width} px`);
  };
  const headings = await page.getByRole('heading', { level: 1, includeHidden: true }).count();
  if (headings !== 1) problems.push(`${headings} headings of level 1`);
  if (!titled.test(await page.title())) problems.push(`title ${await page.title()}`);
  let themes = ['light', 'dark'];
  for (const [n, viewport] of sizes.entries()) {
    if (n > 0) await page.setViewportSize(viewport);
    await settled(page);
    await fits(viewport.width);
    for (const [m, theme] of themes.entries()) {
      if (n === 0 || m > 0) await useTheme(page, theme); // the next size begins in the theme in which the last one ended
      problems.push(...(await axe(page, { colours: m > 0 })).map((line) => `${theme} ${viewport.width}: ${line}`));
    }
    themes = themes.toReversed();
  }
  if (sizes.includes(phone)) {
    await page.setViewportSize({ width: 320, height: 640 });
    await settled(page);
    await fits(320);
  }
  return problems;
}
