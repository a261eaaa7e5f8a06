import { cx } from '@/lib/cx';
import { formatBytes, formatList } from '@/lib/format';
import { type Child, keepers } from './words';

/** From here on the bar warns: garbage collection works harder, and the next large result may be the last. */
const high = 0.85;

/** Memory in use against its limit: a bar, and the same in words. */
export function Memory({ memory }: { memory: Child['memory'] }) {
  const share = memory.limit_bytes > 0 ? Math.min(1, memory.rss_bytes / memory.limit_bytes) : 0;
  const used = formatBytes(memory.rss_bytes);
  const text = memory.limit_bytes > 0 ? `${used} of ${formatBytes(memory.limit_bytes)}` : `${used}, without a limit`;
  return (
    <div className="grid gap-1.5">
      <p className="flex flex-wrap items-baseline gap-x-2 text-control tabular-nums">
        <span className="font-medium">Memory</span>
        <span className={share >= high ? 'text-warn' : undefined}>{text}</span>
        {memory.enforced_by.length > 0 && (
          <span className="text-label text-muted">held by {formatList(keepers(memory.enforced_by))}</span>
        )}
      </p>
      <div aria-hidden className="h-1.5 overflow-hidden rounded-full border border-line bg-raised">
        <div
          className={cx('h-full rounded-full', share >= high ? 'bg-warn' : 'bg-accent')}
          style={{ width: `${share * 100}%` }}
        />
      </div>
    </div>
  );
}
