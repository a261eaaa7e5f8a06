import { type ReactNode, useId } from 'react';
import { cx } from '@/lib/cx';

interface Props {
  title?: ReactNode;
  meta?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
  label?: string;
  /** What an address ends in to lead here. */
  id?: string;
}
export function Card({ title, meta, actions, children, className, flush, label, id: anchor }: Props) {
  const id = useId();
  const Box = title || label ? 'section' : 'div';
  return (
    <Box
      id={anchor}
      aria-labelledby={title ? id : undefined}
      aria-label={title ? undefined : label}
      className={cx('min-w-0 rounded-lg border border-line bg-surface', className)}
    >
      {title && (
        <header className="flex min-h-11 items-center gap-2 border-b border-line px-4 py-1.5">
          <h2 id={id} className="text-control font-semibold">
            {title}
          </h2>
          {/* The title wraps only once nothing is left of this to cut. */}
          {meta && <span className="shrink-[9999] truncate text-label text-muted">{meta}</span>}
          {actions && <div className="ml-auto flex items-center gap-1">{actions}</div>}
        </header>
      )}
      <div className={flush ? undefined : 'p-4'}>{children}</div>
    </Box>
  );
}
