import { LoaderCircle } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { connectivity, reconnect } from '@/api/connectivity';
import { announce } from '@/lib/announce';
import { useStore } from '@/lib/store';
import { Button } from '@/ui/button';

/** Over every page while the server does not answer. Forms stay usable; what is sent waits. */
export function OfflineBanner() {
  const { online } = useStore(connectivity);
  const wasOffline = useRef(false);
  useEffect(() => {
    if (!online) announce('The server cannot be reached. Reconnecting.', 'assertive');
    else if (wasOffline.current) announce('Connected again.');
    wasOffline.current = !online;
  }, [online]);
  if (online) return null;
  return (
    <section
      aria-label="Connection to the server"
      className="flex min-h-9 flex-wrap items-center justify-center gap-x-3 gap-y-1 border-b border-warn/40 bg-warn-soft px-4 py-1 text-control"
    >
      <LoaderCircle aria-hidden className="animate-spin text-warn" />
      <span>The server cannot be reached. Saving waits until it is back.</span>
      <Button size="sm" onClick={() => void reconnect()}>
        Try now
      </Button>
    </section>
  );
}
