import type { ReactNode } from 'react';

interface Props {
  icon: ReactNode;
  title: string;
  /** One sentence on what this is. */
  children: ReactNode;
  /** One primary action, and at most one other. */
  actions?: ReactNode;
}

/** Nothing here yet, or nothing that matches. */
export function EmptyState({ icon, title, children, actions }: Props) {
  return (
    <div className="grid justify-items-center gap-1 px-6 py-14 text-center">
      <span className="mb-2 grid size-10 place-items-center rounded-lg border border-line bg-raised text-muted">
        {icon}
      </span>
      <p className="text-section font-semibold">{title}</p>
      <div className="max-w-[52ch] text-control text-muted">{children}</div>
      {actions && <div className="mt-4 flex flex-wrap items-center justify-center gap-2">{actions}</div>}
    </div>
  );
}
