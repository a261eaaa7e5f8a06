/** Who sends a User-Agent, in the words a person uses: "Firefox on Windows". A program is named as it names itself. */
export function readUserAgent(text: string): string {
  const browser = browsers.find(([, sign]) => sign.test(text))?.[0];
  const system = systems.find(([, sign]) => sign.test(text))?.[0];
  if (browser) return system ? `${browser} on ${system}` : browser;
  const program = /^([\w.-]{1,40})\/[\w.-]+/.exec(text)?.[1];
  if (program && program !== 'Mozilla') return program;
  return system ? `A browser on ${system}` : 'An unknown program';
}

// Most browsers also claim to be the ones below them, so the order decides.
const browsers: readonly (readonly [string, RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:HeadlessChrome|Chrome|CriOS)\//],
  ['Safari', /\bVersion\/[\d.]+.*\bSafari\//],
];

const systems: readonly (readonly [string, RegExp])[] = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['macOS', /\bMac OS X\b/],
  ['Linux', /\bLinux\b/],
];
