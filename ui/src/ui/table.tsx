import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

/** A plain table that scrolls inside its own region: query results, previews. Lists of entities use DataTable. */
export function Table({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <section aria-label={label} tabIndex={0} className={cx('focus-inset relative overflow-auto', className)}>
      <table className="w-full border-separate border-spacing-0 text-control">{children}</table>
    </section>
  );
}

interface CellProps {
  children?: ReactNode;
  num?: boolean;
  className?: string;
}

export type SortDirection = 'ascending' | 'descending' | 'none';

interface HeadProps extends CellProps {
  sort?: SortDirection;
  onSort?: () => void;
}

export function Th({ children, num, className, sort, onSort }: HeadProps) {
  return (
    <th
      scope="col"
      aria-sort={sort}
      className={cx(
        'sticky top-0 z-10 h-8 border-b border-line bg-surface px-3 text-label font-medium whitespace-nowrap text-muted first:pl-4 last:pr-4',
        num ? 'text-right' : 'text-left',
        className,
      )}
    >
      {onSort ? (
        <button
          type="button"
          onClick={onSort}
          className={cx(
            'inline-flex min-h-6 items-center gap-1 rounded hover:text-fg',
            sort !== 'none' && sort && 'text-fg',
          )}
        >
          {children}
          {sort === 'descending' && <ArrowDown aria-hidden className="size-3" />}
          {sort === 'ascending' && <ArrowUp aria-hidden className="size-3" />}
        </button>
      ) : (
        children
      )}
    </th>
  );
}

export function Td({ children, num, className }: CellProps) {
  return (
    <td
      className={cx(
        'h-10 border-b border-line px-3 whitespace-nowrap group-last/row:border-b-0 first:pl-4 last:pr-4',
        num && 'text-right tabular-nums',
        className,
      )}
    >
      {children}
    </td>
  );
}

export function Tr({ children, className }: { children: ReactNode; className?: string }) {
  return <tr className={cx('group/row hover:bg-hover', className)}>{children}</tr>;
}
