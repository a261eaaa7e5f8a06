/**
 * Whether somebody can see this page: not in a hidden tab, and not kept aside by the browser for the way back. Over
 * HTTP/1.1 all pages of a server share six connections, so a page that nobody sees must not hold one.
 */
const visible = (): boolean => typeof document === 'undefined' || document.visibilityState === 'visible';

function onChange(listener: () => void, signal: AbortSignal): void {
  if (typeof document !== 'undefined') document.addEventListener('visibilitychange', listener, { signal });
}

/** Resolves when the page can be seen, at once if it can; also when `signal` aborts. */
export function inSight(signal: AbortSignal): Promise<void> {
  if (visible() || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = new AbortController();
    const done = () => {
      end.abort();
      resolve();
    };
    signal.addEventListener('abort', done, { signal: end.signal });
    onChange(() => {
      if (visible()) done();
    }, end.signal);
  });
}

/** A signal that aborts when the page goes out of sight, or with `signal`. Call `end` when it is not needed any more. */
export function whileInSight(signal: AbortSignal): { signal: AbortSignal; end: () => void } {
  const gone = new AbortController();
  const end = new AbortController();
  signal.addEventListener('abort', () => gone.abort(signal.reason), { signal: end.signal });
  onChange(() => {
    if (!visible()) gone.abort();
  }, end.signal);
  return { signal: gone.signal, end: () => end.abort() };
}
