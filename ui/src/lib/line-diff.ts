export interface DiffLine {
  op: ' ' | '+' | '-';
  text: string;
  /** Line numbers from 1; absent on the side that does not have the line. */
  old?: number;
  new?: number;
}

/** Above this many cells the table of the exact algorithm is not built and the changed middle is shown as replaced. */
const mostCells = 4_000_000;

/**
 * The line difference between two texts by longest common subsequence. `context` unchanged lines stay
 * around each change; omit it to keep all.
 */
export function lineDiff(before: string, after: string, context = Number.POSITIVE_INFINITY): DiffLine[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;

  const lines: DiffLine[] = [];
  const keep = (i: number, j: number) => lines.push({ op: ' ', text: a[i] ?? '', old: i + 1, new: j + 1 });
  for (let i = 0; i < head; i++) keep(i, i);
  for (const [op, i, j] of middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
    if (op === ' ') keep(head + i, head + j);
    else if (op === '-') lines.push({ op, text: a[head + i] ?? '', old: head + i + 1 });
    else lines.push({ op, text: b[head + j] ?? '', new: head + j + 1 });
  }
  for (let k = tail; k > 0; k--) keep(a.length - k, b.length - k);
  return trim(lines, context);
}

function middle(a: readonly string[], b: readonly string[]): ['+' | '-' | ' ', number, number][] {
  const width = b.length + 1;
  const steps: ['+' | '-' | ' ', number, number][] = [];
  let i = 0;
  let j = 0;
  if (a.length * b.length <= mostCells) {
    // common[i * width + j]: length of the longest common subsequence of a[i..] and b[j..].
    const common = new Uint32Array((a.length + 1) * width);
    const at = (row: number, column: number) => common[row * width + column] ?? 0;
    for (let row = a.length - 1; row >= 0; row--) {
      for (let column = b.length - 1; column >= 0; column--) {
        common[row * width + column] =
          a[row] === b[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
      }
    }
    while (i < a.length && j < b.length) {
      if (a[i] === b[j]) steps.push([' ', i++, j++]);
      else if (at(i + 1, j) >= at(i, j + 1)) steps.push(['-', i++, j]);
      else steps.push(['+', i, j++]);
    }
  }
  while (i < a.length) steps.push(['-', i++, j]);
  while (j < b.length) steps.push(['+', i, j++]);
  return steps;
}

function trim(lines: DiffLine[], context: number): DiffLine[] {
  if (!Number.isFinite(context)) return lines;
  const changed = lines.flatMap((line, n) => (line.op === ' ' ? [] : [n]));
  return lines.filter((_line, n) => changed.some((c) => Math.abs(c - n) <= context));
}
