import { backoff } from '@/lib/backoff';
import { inSight, whileInSight } from '@/lib/sight';
import { connectivity, reportOffline } from './connectivity';
import { ApiError } from './errors';
import { createEventParser, type StreamEvent } from './event-parser';
import { sendSignedIn } from './transport';

export type StreamState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface StreamOptions {
  onEvent: (event: StreamEvent) => void;
  onState?: (state: StreamState) => void;
  /** Called when the stream ends for good: the server refused it (404, 422 …). */
  onError?: (error: ApiError) => void;
}

/**
 * Follows a server's event stream until `close`. Reconnects with growing pauses and sends Last-Event-ID, so that
 * the server can go on where it stopped. It goes through the same transport as every request: an ended session
 * opens the sign-in dialog and a lost server the offline banner. (EventSource shows neither and forgets the id
 * when it is made anew.) A page that nobody sees gives its connection back and goes on when it is seen again.
 */
export function openStream(url: string, options: StreamOptions): { close: () => void } {
  const stop = new AbortController();
  void follow(url, options, stop.signal);
  return { close: () => stop.abort() };
}

async function follow(url: string, { onEvent, onState, onError }: StreamOptions, signal: AbortSignal): Promise<void> {
  let lastId = '';
  let attempts = 0;
  while (!signal.aborted) {
    await inSight(signal);
    if (signal.aborted) break;
    onState?.('connecting');
    const seen = whileInSight(signal);
    let pause: number | undefined;
    try {
      const headers = new Headers({ Accept: 'text/event-stream' });
      if (lastId) headers.set('Last-Event-ID', lastId);
      const response = await sendSignedIn(new Request(url, { headers, cache: 'no-store', signal: seen.signal }));
      onState?.('open');
      const parser = createEventParser(lastId);
      await read(response, (text) => {
        attempts = 0;
        for (const event of parser.push(text)) onEvent(event);
        lastId = parser.lastId();
      });
      pause = parser.retry();
    } catch (error) {
      if (signal.aborted) break;
      if (seen.signal.aborted) continue;
      if (error instanceof ApiError && error.status < 500 && error.code !== 'too_many') {
        onState?.('closed');
        onError?.(error);
        return;
      }
    } finally {
      seen.end();
    }
    if (signal.aborted) break;
    onState?.('waiting');
    await Promise.race([delay(pause ?? backoff(attempts++), signal), backOnline(signal)]);
  }
  onState?.('closed');
}

async function read(response: Response, take: (text: string) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  } catch (error) {
    // A stream that breaks half-way usually means a restart: say so before the next request finds out.
    if (!(error instanceof DOMException && error.name === 'AbortError')) reportOffline();
    throw error;
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

/** Resolves when the connection comes back, if it is lost now; never otherwise. */
function backOnline(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (connectivity.get().online) return;
    const stop = connectivity.subscribe(() => {
      if (!connectivity.get().online) return;
      stop();
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}
