import fs from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Reads the tokens of one theme out of tokens.css, so that the file and this test cannot differ. */
function readTokens(theme: 'light' | 'dark'): Map<string, string> {
  const css = fs.readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');
  const tokens = new Map<string, string>();
  for (const [, name, light, dark] of css.matchAll(/--([\w-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\)/g)) {
    if (name && light && dark) tokens.set(name, theme === 'light' ? light : dark);
  }
  for (const [, name, over, share, under] of css.matchAll(
    /--([\w-]+): color-mix\(in srgb, var\(--([\w-]+)\) (\d+)%, var\(--([\w-]+)\)\)/g,
  )) {
    const a = tokens.get(over ?? '');
    const b = tokens.get(under ?? '');
    if (name && a && b) tokens.set(name, mix(a, b, Number(share) / 100));
  }
  return tokens;
}

const channels = (hex: string) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));

function mix(a: string, b: string, share: number): string {
  const other = channels(b);
  const mixed = channels(a).map((c, i) => Math.round(c * share + (other[i] ?? 0) * (1 - share)));
  return `#${mixed.map((c) => c.toString(16).padStart(2, '0')).join('')}`;
}

/** Relative luminance and contrast ratio as in WCAG 2.2, section "relative luminance". */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = channels(hex).map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const grounds = ['bg', 'surface', 'raised'];
const texts = ['fg', 'muted', 'link', 'ok', 'warn', 'bad', 'info'];
const signals = ['ok', 'warn', 'bad', 'info'];

const pairs: [text: string, ground: string, least: number][] = [
  ...texts.flatMap((t) => grounds.map((g): [string, string, number] => [t, g, 4.5])),
  ...signals.map((t): [string, string, number] => [t, `${t}-soft`, 4.5]),
  ...signals.flatMap((t): [string, string, number][] => [
    ['fg', `${t}-soft`, 4.5],
    ['muted', `${t}-soft`, 4.5],
    ['link', `${t}-soft`, 4.5],
  ]),
  ['link', 'accent-soft', 4.5],
  ['fg', 'accent-soft', 4.5],
  ['muted', 'accent-soft', 4.5],
  ['accent-fg', 'accent', 4.5],
  ['accent-fg', 'accent-hover', 4.5],
  ['control', 'bg', 3],
  ['control', 'surface', 3],
  ['focus', 'bg', 3],
  ['focus', 'surface', 3],
  ...[1, 2, 3, 4].map((n): [string, string, number] => [`series-${n}`, 'surface', 3]),
];

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  const tokens = readTokens(theme);
  test.each(pairs)('%s on %s is at least %d', (text, ground, least) => {
    const [a, b] = [tokens.get(text), tokens.get(ground)];
    if (!a || !b) throw new Error(`token ${a ? ground : text} is missing`);
    expect(ratio(a, b)).toBeGreaterThanOrEqual(least);
  });
});

test('the measured ratios of the design are those of the file', () => {
  const light = readTokens('light');
  const dark = readTokens('dark');
  const measured = (tokens: Map<string, string>, text: string) =>
    grounds.map((g) => ratio(tokens.get(text) ?? '', tokens.get(g) ?? '').toFixed(1));
  expect(measured(light, 'fg')).toEqual(['16.2', '17.2', '15.1']);
  expect(measured(dark, 'fg')).toEqual(['15.7', '14.6', '13.0']);
  expect(measured(light, 'muted')).toEqual(['6.0', '6.3', '5.6']);
});
