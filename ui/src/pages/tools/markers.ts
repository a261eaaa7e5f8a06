import type { Marker } from '@/ui/editor/editor';
import type { CheckOut, Problem } from './api';

/** Problems that the builder mends by itself a moment later: it declares what the statement uses. */
const mended = ['undeclared_parameter', 'unused_parameter'];

/** What an editor underlines. A problem without a place marks the first line. */
export function markersOf(
  text: string,
  field: 'sql_query' | 'transform',
  problems: readonly Problem[],
  check: CheckOut | undefined,
): Marker[] {
  const markers = problems
    .filter(
      (p) => (p.field === field || (field === 'sql_query' && p.field === 'parameters')) && !mended.includes(p.code),
    )
    .map((p): Marker => {
      const whole = p.start === 0 && p.end === 0;
      return { from: p.start, to: whole ? lineEnd(text) : p.end, severity: p.severity, message: p.message };
    });
  if (check && !check.ok) {
    const from = check.offset < 0 ? 0 : units(text, check.offset);
    const to = check.offset < 0 ? lineEnd(text) : wordEnd(text, from);
    markers.push({ from, to, severity: 'error', message: check.message });
  }
  return markers;
}

/** An offset in characters, as databases count, in the UTF-16 units of an editor. */
export function units(text: string, characters: number): number {
  let at = 0;
  for (const character of text) {
    if (characters-- <= 0) break;
    at += character.length;
  }
  return at;
}

function lineEnd(text: string): number {
  const end = text.indexOf('\n');
  return end < 0 ? text.length : end;
}

function wordEnd(text: string, from: number): number {
  const word = /^[\p{L}\p{N}_]+/u.exec(text.slice(from))?.[0];
  return Math.min(text.length, from + (word?.length ?? 1));
}

/** "Line 3, column 12" of an offset in UTF-16 units. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
