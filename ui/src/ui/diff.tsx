import { cx } from '@/lib/cx';
import type { DiffLine } from '@/lib/line-diff';

const tint = { ' ': 'text-muted', '+': 'bg-ok-soft text-fg', '-': 'bg-bad-soft text-fg' };
const mark = { ' ': 'text-muted', '+': 'text-ok', '-': 'text-bad' };
const sign = { ' ': '', '+': '+', '-': '−' };
const word = { ' ': '', '+': 'added', '-': 'removed' };

/** A line difference; a gap in the numbers is shown as a gap. */
export function Diff({ lines, label }: { lines: readonly DiffLine[]; label: string }) {
  return (
    <section
      aria-label={label}
      tabIndex={0}
      className="focus-inset overflow-x-auto rounded-md border border-line bg-surface py-1 font-mono text-label leading-5"
    >
      <table className="w-full border-collapse">
        <tbody>
          {lines.map((line, n) => (
            <tr key={`${line.old ?? ''}:${line.new ?? ''}`} className={cx(tint[line.op], gap(lines, n) && 'diff-gap')}>
              <td className="w-9 pr-2 text-right text-muted select-none">{line.old}</td>
              <td className="w-9 pr-2 text-right text-muted select-none">{line.new}</td>
              <td className={cx('w-5 text-center select-none', mark[line.op])}>
                <span aria-hidden>{sign[line.op]}</span>
                <span className="sr-only">{word[line.op]}</span>
              </td>
              <td className="pr-3 whitespace-pre-wrap break-words">{line.text || ' '}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Whether unchanged lines were left out before line n. */
function gap(lines: readonly DiffLine[], n: number): boolean {
  const line = lines[n];
  const before = lines[n - 1];
  if (!line || !before) return false;
  const old = line.old !== undefined && before.old !== undefined && line.old > before.old + 1;
  const fresh = line.new !== undefined && before.new !== undefined && line.new > before.new + 1;
  return old || fresh;
}
