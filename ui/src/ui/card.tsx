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
          <div className="flex min-w-0 flex-wrap items-baseline gap-x-2">
            <h2 id={id} className="text-control font-semibold break-words">
              {title}
            </h2>
            {meta && <span className="text-label text-muted">{meta}</span>}
          </div>
          {actions && <div className="ml-auto flex shrink-0 items-center gap-1">{actions}</div>}
        </header>
      )}
      <div className={flush ? undefined : 'p-4'}>{children}</div>
    </Box>
  );
}
