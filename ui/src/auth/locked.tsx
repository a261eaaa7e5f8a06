import { useEffect } from 'react';
import { formatSpan } from '@/lib/format';
import { useNow } from '@/lib/use-now';

/** How long sign-in stays locked, counting down. */
export function Locked({ until, onEnd }: { until: number; onEnd: () => void }) {
  const left = until - useNow(1000).getTime();
  useEffect(() => {
    if (left <= 0) onEnd();
  }, [left, onEnd]);
  return <span className="tabular-nums">Try again in {formatSpan(left)}.</span>;
}
