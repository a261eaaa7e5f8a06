import { formatRelative } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { StateIcon } from './state';

/** Says that what is shown is the last good answer and not the present one. */
export function StaleNote({ updated, retrying }: { updated: Date; retrying: boolean }) {
  const now = useNow(10_000);
  return (
    <p className="inline-flex items-center gap-1.5 text-label text-muted tabular-nums">
      <StateIcon kind="warning" />
      Updated {formatRelative(updated, now)}
      {retrying ? ' · retrying' : ' · could not be renewed since'}
    </p>
  );
}
