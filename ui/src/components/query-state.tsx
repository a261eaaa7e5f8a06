import type { ReactNode } from 'react';
import { useDelayed } from '@/lib/use-delayed';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Loading } from '@/ui/skeleton';
import { StaleNote } from '@/ui/stale-note';
import { LoadError } from './load-error';

/** The part of a query's result that its states depend on; several queries can be joined into one. */
interface Result<T> {
  data: T | undefined;
  error: unknown;
  isError: boolean;
  isPending: boolean;
  isFetching: boolean;
  dataUpdatedAt: number;
  refetch: () => Promise<unknown>;
}

interface Props<T> {
  query: Result<T>;
  /** What is loaded, in the plural and lower case: "connections". */
  what: string;
  /** The shape of what comes, at its height. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/**
 * The states of one query: nothing for 150 ms, then a skeleton, after 10 s a way out, an error with its cause, and
 * the last good data with its age when a renewal failed.
 */
export function QueryState<T>({ query, what, skeleton, children }: Props<T>) {
  const waiting = query.isPending && !query.isError;
  const late = useDelayed(waiting, 150);
  const veryLate = useDelayed(waiting, 10_000);
  const title = `${what.charAt(0).toUpperCase()}${what.slice(1)} could not be loaded`;

  if (query.data !== undefined) {
    return (
      <>
        {query.isError && (
          <div className="mb-2">
            <StaleNote updated={new Date(query.dataUpdatedAt)} retrying={query.isFetching} />
          </div>
        )}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <LoadError title={title} error={query.error} onRetry={() => void query.refetch()} />;
  if (!late) return null;
  return (
    <Loading label={`Loading ${what}`}>
      {skeleton}
      {veryLate && (
        <p className="flex items-center gap-3 px-4 py-3 text-control text-muted">
          Still loading…
          <Button size="sm" onClick={() => void query.refetch()}>
            {buttons.retry}
          </Button>
        </p>
      )}
    </Loading>
  );
}
