import { expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatExact,
  formatList,
  formatMoment,
  formatRelative,
  formatSpan,
  plural,
  sentence,
} from '@/lib/format';

const now = new Date('2026-11-22T14:06:31Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1,023 bytes'],
  [1536, '1.5 KiB'],
  [1_048_576, '1 MiB'],
  [5 * 1024 ** 4, '5,120 GiB'],
])('%d bytes is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0, '0 ms'],
  [0.42, '0.4 ms'],
  [231, '231 ms'],
  [999.4, '999 ms'],
  [1240, '1.2 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min'],
  [75_000, '1 min 15 s'],
])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [3_605_000, '1 h'],
  [273_600_000, '3 d 4 h'],
])('a span of %d ms is %s', (ms, text) => expect(formatSpan(ms)).toBe(text));

test.each([
  [0, 'just now'],
  [4, 'just now'],
  [20, '20 s ago'],
  [59, '59 s ago'],
  [60, '1 min ago'],
  [7199, '1 h ago'],
  [172_800, '2 d ago'],
  [-3600, 'in 1 h'],
])('%d seconds ago is %s', (seconds, text) => expect(formatRelative(before(seconds), now)).toBe(text));

test('moments get shorter the nearer they are', () => {
  expect(formatMoment(new Date('2026-11-22T09:12:00Z'), now, 'UTC')).toBe('09:12');
  expect(formatMoment(new Date('2026-11-03T09:12:00Z'), now, 'UTC')).toBe('3 Nov, 09:12');
  expect(formatMoment(new Date('2025-11-03T09:12:00Z'), now, 'UTC')).toBe('3 Nov 2025, 09:12');
  expect(formatMoment(new Date('2026-11-21T23:30:00Z'), now, 'Europe/Berlin')).toBe('00:30');
});

test('the exact time has its zone and UTC', () => {
  expect(formatExact(now, 'Europe/Berlin')).toBe('22 Nov 2026, 15:06:31 CET (2026-11-22 14:06:31 UTC)');
});

test('counts and lists', () => {
  expect(formatCount(12480)).toBe('12,480');
  expect([plural(1, 'tool'), plural(0, 'tool'), plural(1200, 'entry', 'entries')]).toEqual([
    '1 tool',
    '0 tools',
    '1,200 entries',
  ]);
  expect(formatList(['a', 'b', 'c'])).toBe('a, b and c');
});

test.each([
  ['is taken', 'Is taken'],
  ['over, and done', 'Over, and done'],
  ['über alles', 'Über alles'],
  ['taken', 'Taken'],
  ['Already a sentence.', 'Already a sentence.'],
  ['max_rows is 1 to 100', 'max_rows is 1 to 100'],
  ['db.internal does not answer', 'db.internal does not answer'],
  [':since is not declared', ':since is not declared'],
  ['iPhone is no server', 'iPhone is no server'],
  ['https://x.test is no origin', 'https://x.test is no origin'],
  ['', ''],
])('"%s" is shown as "%s"', (text, shown) => expect(sentence(text)).toBe(shown));

test('the time of a log line is local, to the millisecond', () => {
  const at = new Date(2026, 2, 2, 9, 4, 5, 7);
  expect(formatClock(at)).toBe('09:04:05.007');
});
