import { formatCount, plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { pageSize } from './address';

/** "1–50 of 132 tools", or "4 tools" where all are shown. `noun` is in the singular. */
export function range(page: number, total: number, noun: string): string {
  const from = (page - 1) * pageSize;
  const to = Math.min(total, from + pageSize);
  if (from >= total) return `0 of ${plural(total, noun)}`;
  return from === 0 && to === total
    ? plural(total, noun)
    : `${formatCount(from + 1)}–${formatCount(to)} of ${plural(total, noun)}`;
}

interface Props {
  page: number;
  total: number;
  /** In the singular. */
  noun: string;
  /** Undefined is the first page, as addresses have it. */
  onPage: (page: number | undefined) => void;
}

export function Pager({ page, total, noun, onPage }: Props) {
  if (total <= pageSize && page === 1) return null;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2 text-label text-muted tabular-nums">
      <span>{range(page, total, noun)}</span>
      {page > 1 && (
        <Button size="sm" onClick={() => onPage(page > 2 ? page - 1 : undefined)}>
          Previous
        </Button>
      )}
      {page * pageSize < total && (
        <Button size="sm" onClick={() => onPage(page + 1)}>
          Next
        </Button>
      )}
    </nav>
  );
}
