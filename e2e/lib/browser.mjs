// A real Chromium beside a real studio: pages that report what they do wrong, a hand that counts what a person does, axe, and
// screenshots. Elements are found as a person finds them: by role and label.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const axeTags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** How long a wait may take, in milliseconds, before it is a failure. Long: a machine can be busy, and waiting longer costs only what fails. */
const patience = 30_000;

export const wide = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

/** A browser with a profile of its own that talks to nobody but the studio. */
export function launch(options = {}) {
  return chromium.launch({
    ...options,
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless=new', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--font-render-hinting=none',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}

/**
 * A context for one person's visit. `signedIn` carries the session of the studio's own API client; `theme` is what the person chose.
 */
export async function visit(browser, studio, { signedIn = true, theme, viewport = wide, bypassCSP = false } = {}) {
  const context = await browser.newContext({ viewport, bypassCSP, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  context.setDefaultTimeout(patience);
  if (signedIn) {
    const [name, value] = studio.cookie.split('=');
    await context.addCookies([{ name, value, url: studio.base, httpOnly: true, sameSite: 'Lax' }]);
  }
  if (theme) await context.addCookies([{ name: 'theme', value: theme, url: studio.base, sameSite: 'Lax' }]);
  return context;
}

/**
 * A page that collects what it does wrong in `page.findings`: errors thrown and logged, violations of the content security policy,
 * requests to anybody but the studio. The browser's own line about an answer that is an error is not counted: states are made of them.
 * `page.pending` has the requests that are not answered yet, `page.asked` counts all; streams are in neither.
 */
export async function watched(context, studio) {
  const page = await context.newPage();
  page.findings = [];
  page.pending = new Set();
  page.asked = 0;
  await page.exposeBinding('reportViolation', (_, text) => page.findings.push(`content security policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => {
      window.reportViolation(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile ?? ''}:${e.lineNumber}`);
    });
  });
  page.on('pageerror', (e) => page.findings.push(`thrown: ${e}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !/^Failed to load resource/.test(m.text())) page.findings.push(`console: ${m.text()}`);
  });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => page.pending.delete(r));
  page.on('request', (r) => {
    if (r.url().startsWith('http') && !isStream(r.url())) {
      page.pending.add(r);
      page.asked++;
    }
    if (!r.url().startsWith(`${studio.base}/`) && !/^(data|blob):/.test(r.url())) page.findings.push(`external request: ${r.url()}`);
  });
  return page;
}

/** What never ends: the events, and the log of the server. */
const isStream = (url) => /^\/api\/v1\/(?:events|deploy\/logs)$/.test(new URL(url).pathname);

/**
 * Waits until the page has come to rest: nothing that it asked for is outstanding, nothing says that it loads, and nothing new was asked
 * for during `ms` of the page's own clock. A timer of the page that was set before with at most `ms` has run then, however slow the machine.
 */
export async function idle(page, ms = 200) {
  const end = Date.now() + patience;
  for (;;) {
    const { asked } = page;
    const loads = await page.evaluate((pause) => new Promise((done) => {
      setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelector('[aria-busy="true"]') !== null))), pause);
    }), ms).catch((e) => {
      if (/Execution context was destroyed|navigat/.test(String(e))) return true; // the page went on to another document
      throw e;
    });
    if (!loads && page.pending.size === 0 && page.asked === asked) return;
    if (Date.now() > end) throw new Error(`the page does not come to rest: ${[...page.pending].map((r) => r.url()).join(', ') || 'it says that it loads'}`);
  }
}

/** One person's hand: counts clicks and key presses; typing a text is not counted. */
export class Hand {
  log = [];

  constructor(page) {
    this.page = page;
  }

  get actions() {
    return this.log.length;
  }

  async click(locator) {
    await locator.click();
    this.log.push(`click ${locator}`);
  }

  async press(keys) {
    await this.page.keyboard.press(keys);
    this.log.push(`press ${keys}`);
  }

  /** Text goes where the focus is. */
  async type(text) {
    await this.page.keyboard.insertText(text);
  }

  /** A click into the field, then the text. */
  async write(locator, text) {
    await this.click(locator);
    await this.type(text);
  }
}

/**
 * What axe finds on the page as it is now, one line a rule. `colours`: only the rules that another theme can change. The sentinels that keep
 * the focus in an open layer hand it on at once; axe knows that only of layers it guesses to be modal from what covers the page.
 */
export async function axe(page, { colours = false } = {}) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const only = colours ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } : { type: 'tag', values: axeTags };
  const { violations } = await page.evaluate((runOnly) => window.axe.run({ exclude: ['[data-base-ui-focus-guard]'] }, { runOnly, resultTypes: ['violations'] }), only);
  return violations.map((v) => {
    const nodes = v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`);
    return `axe ${v.id} ×${v.nodes.length}: ${nodes.join(' | ')}`;
  });
}

/** Shows the page in another theme without a load, as choosing it in the menu does. */
export async function useTheme(page, theme) {
  await page.evaluate((t) => {
    if (!window.still) { // a colour on its way to another one would be judged as if it stayed
      window.still = new CSSStyleSheet();
      window.still.replaceSync('*, ::before, ::after { transition: none !important; animation: none !important; }');
      document.adoptedStyleSheets.push(window.still);
    }
    document.documentElement.dataset.theme = t;
  }, theme);
  await settled(page);
}

/** Two frames later: styles and layout of the last change are on the screen. */
export async function settled(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));
}

/** By how many pixels the page can be scrolled sideways, once layers have found their place. */
export async function sideways(page) {
  const by = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  for (let n = 0; n < 10 && (await by()) > 0; n++) await page.waitForTimeout(100);
  return by();
}

/** The element that has the focus, looking into shadow roots: its name for people and whether the focus can be seen. */
export async function focused(page) {
  return page.evaluate(() => {
    let e = document.activeElement;
    const chain = [];
    while (e?.shadowRoot?.activeElement) {
      chain.push(e);
      e = e.shadowRoot.activeElement;
    }
    if (!e || e === document.body) return { name: 'body', body: true, visible: true, seen: true };
    const ringed = (el, pseudo) => {
      const s = getComputedStyle(el, pseudo);
      return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 && !/rgba\(.*, 0\)|transparent/.test(s.outlineColor);
    };
    // The ring may be drawn by what encloses the control: a label around a radio button, the host of an editor.
    const drawn = [e, e.parentElement, e.parentElement?.parentElement, ...chain].filter(Boolean);
    const box = e.getBoundingClientRect();
    const x = Math.min(Math.max(box.x + Math.min(box.width / 2, 12), 0), innerWidth - 1);
    const y = Math.min(Math.max(box.y + box.height / 2, 0), innerHeight - 1);
    const top = document.elementFromPoint(x, y);
    const within = top && (top === e || e.contains(top) || top.contains(e) || chain.includes(top));
    const id = (window.__ids ??= new WeakMap());
    if (!id.has(e)) id.set(e, (window.__next = (window.__next ?? 0) + 1));
    return {
      id: id.get(e),
      tag: e.tagName.toLowerCase(),
      name: `${e.tagName.toLowerCase()} ${e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent ?? ''}`.trim().slice(0, 60),
      body: false,
      parts: e.tagName === 'INPUT' && /date|time/.test(e.type),
      // In a text the caret shows where the focus is (WCAG 2.4.7).
      visible: e.isContentEditable || drawn.some((el) => ringed(el) || ringed(el, '::before') || ringed(el, '::after')),
      // On the screen and not under something that sticks (WCAG 2.4.11).
      seen: box.width === 0 || box.height === 0 ? false : box.bottom > 0 && box.top < innerHeight && Boolean(within),
    };
  });
}

/** Whether the focused element can be seen once a tooltip of the stop before has gone. */
async function comesInSight(page) {
  for (let n = 0; n < 20; n++) {
    await page.waitForTimeout(100);
    if ((await focused(page)).seen) return true;
  }
  return false;
}

/** Walks the page by Tab and says what is wrong: focus that cannot be seen, that is covered, or that cannot leave. */
export async function tabRound(page, { most = 250 } = {}) {
  const problems = [];
  const stops = [];
  const met = new Set();
  let last;
  for (let n = 0; n < most; n++) {
    await page.keyboard.press('Tab');
    const stop = await focused(page);
    if (stop.id === last && stop.parts) continue; // the day, the month and the year of one date
    if (stop.id === last && !stop.body) problems.push(`the focus is trapped in ${stop.name}`);
    last = stop.id;
    if (stop.body || met.has(stop.id)) return { stops, problems };
    met.add(stop.id);
    stops.push(stop.name);
    if (!stop.visible) problems.push(`the focus is not visible on ${stop.name}`);
    if (!stop.seen && !(await comesInSight(page))) problems.push(`the focus is covered or off the screen on ${stop.name}`);
  }
  problems.push(`the focus did not come around after ${most} stops`);
  return { stops, problems };
}

/** Answers of the admin API that never come, until the returned function lets them through. */
export async function stall(page) {
  let release;
  const gate = new Promise((done) => { release = done; });
  await page.route(isData, async (route) => {
    await gate;
    await route.continue().catch(() => undefined);
  });
  return release;
}

/** Every answer of the admin API is an error of the server. */
export async function failing(page, { detail = 'The store cannot be read: disk I/O error', status = 500 } = {}) {
  await page.route(isData, (route) =>
    route.fulfill({ status, contentType: 'application/json', body: JSON.stringify({ detail, code: 'internal', fields: {}, request_id: 'req-0001' }) }));
}

/** Data only: who is signed in, and the event stream, belong to the shell. */
const isData = (url) => /^\/api\/v1\/(?!auth\/(?:status|login|logout|setup)|events)/.test(url.pathname);
