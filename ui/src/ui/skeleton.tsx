import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

/** One grey bar in the place of a line or a control; give it the size of what comes. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx('block animate-pulse rounded bg-raised', className ?? 'h-4 w-full')} />;
}

/** The rows of a table that is loading, at the height of real ones. */
export function SkeletonRows({ rows = 5, columns = 4 }: { rows?: number; columns?: number }) {
  const widths = ['w-32', 'w-20', 'w-44', 'w-16', 'w-24'];
  return (
    <div className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same
        <div key={row} className="flex h-10 items-center gap-6 px-4">
          {Array.from({ length: columns }, (_, column) => (
            <Skeleton
              // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all the same
              key={column}
              className={cx('h-3 shrink', widths[(row + column) % widths.length], column > 1 && 'max-sm:hidden')}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

/** A region whose content is on its way: announced as busy, shaped like the real thing. */
export function Loading({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <section aria-busy="true" aria-label={label} className={className}>
      <span className="sr-only">{label}</span>
      {children}
    </section>
  );
}
