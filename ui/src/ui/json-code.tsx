import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** Read-only JSON with the token colours of the editors. Text nodes only: nothing is parsed as HTML. */
export function JsonCode({ code, label, className }: { code: string; label: string; className?: string }) {
  return (
    <section aria-label={label} tabIndex={0} className={cx('focus-inset overflow-auto', className)}>
      <pre className="w-max min-w-full p-4 font-mono text-label leading-[1.125rem]">
        <code>{paint(code)}</code>
      </pre>
    </section>
  );
}

function paint(code: string): ReactNode[] {
  const out: ReactNode[] = [];
  let at = 0;
  for (const match of code.matchAll(token)) {
    const [all, string, colon] = match;
    if (match.index > at) out.push(code.slice(at, match.index));
    const ink = string ? (colon ? 'text-link' : 'text-ok') : 'text-warn';
    out.push(
      <span key={match.index} className={ink}>
        {string ?? all}
      </span>,
    );
    if (colon) out.push(colon);
    at = match.index + all.length;
  }
  out.push(code.slice(at));
  return out;
}
