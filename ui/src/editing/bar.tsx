import type { ReactNode } from 'react';
import { Notice } from '@/ui/notice';

interface Props {
  tone: 'info' | 'warn' | 'bad';
  /** Said at once by a screen reader: for what stops or endangers the work. */
  urgent?: boolean;
  children: ReactNode;
  actions?: ReactNode;
}

/** A line across an editor that stays until it is decided. */
export function Bar({ tone, urgent, children, actions }: Props) {
  return (
    <div role={urgent ? 'alert' : undefined}>
      <Notice tone={tone} className="items-center! max-sm:items-start!">
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <div className="min-w-0">{children}</div>
          {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
        </div>
      </Notice>
    </div>
  );
}
