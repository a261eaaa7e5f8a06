/** Numbers, sizes and times in words. English, with units; locale-independent so that tests and screens agree. */
const count = new Intl.NumberFormat('en');
const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** 12480 → "12,480". */
export function formatCount(n: number): string {
  return count.format(n);
}

/** (1, 'tool') → "1 tool"; (3, 'tool') → "3 tools"; irregular plurals are given. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count.format(n)} ${n === 1 ? one : many}`;
}

const sizes = ['bytes', 'KiB', 'MiB', 'GiB'] as const;

/** 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < sizes.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return plural(bytes, 'byte');
  return `${decimal.format(value)} ${sizes[unit]}`;
}

/** A measured time: 0.4 → "0.4 ms", 231 → "231 ms", 1240 → "1.2 s", 75000 → "1 min 15 s". */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${decimal.format(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${decimal.format(ms / 1000)} s`;
  return formatSpan(ms);
}

const spans = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span in its two largest units: 277_000_000 → "3 d 4 h". */
export function formatSpan(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of spans) {
    const n = Math.floor(rest / seconds);
    rest -= n * seconds;
    if (n > 0) parts.push(`${n} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(' ') || '0 s';
}

/** How long ago, in one unit: "just now", "20 s ago", "3 min ago", "in 5 d". */
export function formatRelative(at: Date, now: Date): string {
  const seconds = Math.round((now.getTime() - at.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return 'just now';
  const [unit, length] = spans.find(([, s]) => size >= s) ?? spans[3];
  const text = `${Math.floor(size / length)} ${unit}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** The exact local time with its zone, then UTC: what tooltips over relative times show. */
export function formatExact(at: Date, timeZone?: string): string {
  const local = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long', timeZone }).format(at);
  return `${local} (${at.toISOString().slice(0, 19).replace('T', ' ')} UTC)`;
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** The local time of a log line: "14:02:09.123". */
export function formatClock(at: Date): string {
  return `${clock.format(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** "14:02" today, "3 Nov, 14:02" in the same year, else with the year. */
export function formatMoment(at: Date, now: Date, timeZone?: string): string {
  const day = (d: Date) => new Intl.DateTimeFormat('en-CA', { timeZone }).format(d);
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }).format(at);
  if (day(at) === day(now)) return time;
  const sameYear = day(at).slice(0, 4) === day(now).slice(0, 4);
  const year = sameYear ? undefined : 'numeric';
  const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year, timeZone }).format(at);
  return `${date}, ${time}`;
}

/** ['a', 'b', 'c'] → "a, b and c". */
export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(items);
}

/** A sentence with its full stop, so that another can follow. */
export const closed = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** "is taken" → "Is taken". A first word that is code (`max_rows`, `:limit`, `db.internal`) stays as it is. */
export function sentence(text: string): string {
  return /^\p{Ll}[\p{Ll}'’-]*[,;:.!?]?(?=\s|$)/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
