import { Link } from '@tanstack/react-router';
import { Database, Plus } from 'lucide-react';
import { describe } from '@/api/errors';
import { useAddSample } from '@/api/mutations';
import { formatCount } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Button, buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { EmptyState } from '@/ui/empty-state';
import { Notice } from '@/ui/notice';
import { toast } from '@/ui/toast-store';
import { kinds } from './kinds';
import type { ListSearch } from './list-search';

/** Rows of one page of the list. */
export const pageSize = 50;

export function CreateLink() {
  return (
    <Link to={paths.connectionNew} className={buttonClass('primary', 'md', 'max-sm:flex-1')}>
      <Plus aria-hidden />
      Create connection
    </Link>
  );
}

export function NoConnections() {
  const sample = useAddSample();
  return (
    <Card label="No connections">
      <EmptyState
        icon={<Database aria-hidden />}
        title="No connections yet"
        actions={
          <>
            <CreateLink />
            <Button
              pending={sample.isPending}
              onClick={() => sample.mutate(undefined, { onSuccess: () => toast('Sample added and deployed.') })}
            >
              Use the sample database
            </Button>
          </>
        }
      >
        <p>
          A connection says how to reach one database. Tools and resources run their SQL through it, read-only by
          default.
        </p>
        {sample.isError && (
          <Notice tone="bad" title="The sample was not added" className="mt-3 text-left">
            {describe(sample.error).cause}
          </Notice>
        )}
      </EmptyState>
    </Card>
  );
}

export function NothingMatches({ search, onClear }: { search: ListSearch; onClear: () => void }) {
  const said = [
    search.search !== undefined && `“${search.search}”`,
    search.db_type && `kind ${kinds[search.db_type].title}`,
  ];
  return (
    <EmptyState
      icon={<Database aria-hidden />}
      title="Nothing matches"
      actions={<Button onClick={onClear}>Clear filters</Button>}
    >
      No connections match {said.filter(Boolean).join(' and ') || 'this page'}.
    </EmptyState>
  );
}

export function FailingChip({ count }: { count: number }) {
  return count > 0 ? <Chip tone="bad">{formatCount(count)} failing</Chip> : null;
}

export function range(skip: number, shown: number, total: number): string {
  if (shown === 0) return `0 of ${formatCount(total)}`;
  if (shown === total) return formatCount(total);
  return `${formatCount(skip + 1)}–${formatCount(skip + shown)} of ${formatCount(total)}`;
}

export function Pager({ skip, total, onChange }: { skip: number; total: number; onChange: (skip: number) => void }) {
  if (total <= pageSize && skip === 0) return null;
  return (
    <nav aria-label="Pages" className="flex items-center justify-end gap-2">
      {skip > 0 && (
        <Button size="sm" onClick={() => onChange(Math.max(0, skip - pageSize))}>
          Previous
        </Button>
      )}
      {skip + pageSize < total && (
        <Button size="sm" onClick={() => onChange(skip + pageSize)}>
          Next
        </Button>
      )}
    </nav>
  );
}
