import type { ReactNode } from 'react';
import { Skeleton } from '@/ui/skeleton';

interface Props {
  label: string;
  /** The value, or what the setting does. */
  children: ReactNode;
  /** The control or the button that changes it. */
  action?: ReactNode;
}

/** One line of a card: what it is, how it is, and the way to change it. */
export function SettingRow({ label, children, action }: Props) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="text-control font-medium">{label}</p>
        <div className="text-control break-words text-muted">{children}</div>
      </div>
      {action && <div className="flex flex-wrap items-center gap-2">{action}</div>}
    </div>
  );
}

export function SettingRowsSkeleton({ rows }: { rows: number }) {
  return (
    <div className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same
        <div key={row} className="flex items-center gap-4 px-4 py-3">
          <div className="grid h-9 flex-1 content-evenly">
            <Skeleton className="h-3.5 w-24" />
            <Skeleton className="h-3 w-40" />
          </div>
          <Skeleton className="h-8 w-32 rounded-md" />
        </div>
      ))}
    </div>
  );
}
