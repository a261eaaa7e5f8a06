import type { ReactNode } from 'react';

/** The line over a result: what it is on the left, what can be done with it on the right. */
export function ResultBar({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  return (
    <div className="flex min-h-10 shrink-0 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-4 py-1 text-label text-muted tabular-nums">
      {children}
      {actions && <span className="ml-auto flex items-center gap-2">{actions}</span>}
    </div>
  );
}
