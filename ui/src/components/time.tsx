import { formatExact, formatMoment, formatRelative } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { Tip } from '@/ui/tip';

/** A time as "20 s ago" or "14:02"; the exact local time and UTC on hover and focus. */
export function Time({ at, look = 'relative' }: { at: string; look?: 'relative' | 'moment' }) {
  const now = useNow(10_000);
  const date = new Date(at);
  return (
    <Tip text={formatExact(date)}>
      <time dateTime={at} tabIndex={0} className="rounded tabular-nums">
        {look === 'relative' ? formatRelative(date, now) : formatMoment(date, now)}
      </time>
    </Tip>
  );
}
