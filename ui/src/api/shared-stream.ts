import { backoff } from '@/lib/backoff';
import { inSight, whileInSight } from '@/lib/sight';
import { connectivity, reportOffline } from './connectivity';
import type { StreamEvent } from './event-parser';
import { sessionOver, signedIn } from './session';
import { openStream, type StreamOptions, type StreamState } from './stream';

/** What the page that holds the stream tells the others, and what a page asks that has just joined. */
type Message =
  | { kind: 'event'; event: StreamEvent }
  /** `to` is the page that asked; '' is every page. */
  | { kind: 'state'; state: StreamState; online: boolean; to: string }
  | { kind: 'ask'; from: string };

/**
 * Follows one event stream for all pages of this browser: over HTTP/1.1 they share six connections to a server, and one
 * stream each would leave none for requests. The page that gets the lock holds the stream and hands on what it reads;
 * the others wait for the lock, so that one of them takes over at once when the page is closed or goes out of sight.
 * `onState` says 'open' again whenever something may have been missed. Browsers without Web Locks (an address without
 * TLS that is not this machine) and without BroadcastChannel follow a stream of their own.
 */
export function openSharedStream(url: string, options: StreamOptions): { close: () => void } {
  if (!globalThis.navigator?.locks || !globalThis.BroadcastChannel) return openStream(url, options);
  const stop = new AbortController();
  void take(url, options, stop.signal);
  return { close: () => stop.abort() };
}

/** Takes part while somebody can see the page. */
async function take(url: string, options: StreamOptions, signal: AbortSignal): Promise<void> {
  let attempts = 0;
  while (!signal.aborted) {
    await inSight(signal);
    if (signal.aborted) break;
    const seen = whileInSight(signal);
    const channel = new BroadcastChannel(nameOf(url));
    try {
      // A page that has to sign in first would hold the lock for nothing.
      if (sessionOver.get()) await signedIn(seen.signal);
      follow(channel, options);
      await navigator.locks.request(nameOf(url), { signal: seen.signal }, () =>
        lead(url, channel, options, seen.signal),
      );
      attempts = 0;
    } catch {
      // Out of sight, or signed out: the next round waits for what is missing.
      if (!seen.signal.aborted) await pause(backoff(attempts++), seen.signal);
    } finally {
      seen.end();
      channel.close();
    }
  }
  options.onState?.('closed');
}

const nameOf = (url: string): string => `studio ${url}`;

/** Delivers what the page with the stream says, and asks it how it is. */
function follow(channel: BroadcastChannel, { onEvent, onState }: StreamOptions): void {
  const me = crypto.randomUUID();
  channel.onmessage = ({ data }) => {
    const message = parse(data);
    if (message?.kind === 'event') onEvent(message.event);
    if (message?.kind !== 'state' || (message.to !== '' && message.to !== me)) return;
    onState?.(message.state);
    if (!message.online) reportOffline();
  };
  say(channel, { kind: 'ask', from: me });
}

/** Holds the stream until the page goes out of sight, its session ends or the server refuses it. */
function lead(
  url: string,
  channel: BroadcastChannel,
  { onEvent, onState, onError }: StreamOptions,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    let state: StreamState = 'connecting';
    const tell = (to: string) => say(channel, { kind: 'state', state, online: connectivity.get().online, to });
    channel.onmessage = ({ data }) => {
      const message = parse(data);
      if (message?.kind === 'ask') tell(message.from);
    };
    const stream = openStream(url, {
      onEvent: (event) => {
        say(channel, { kind: 'event', event });
        onEvent(event);
      },
      onState: (next) => {
        if (next === 'closed') return;
        state = next;
        tell('');
        onState?.(next);
      },
      // The lock is kept then: whoever took over would be refused as well.
      onError,
    });
    const forget = sessionOver.subscribe(() => {
      if (sessionOver.get()) end();
    });
    const end = () => {
      forget();
      signal.removeEventListener('abort', end);
      stream.close();
      resolve();
    };
    signal.addEventListener('abort', end);
  });
}

/** A channel that was closed while the page went out of sight has nobody to tell. */
function say(channel: BroadcastChannel, message: Message): void {
  try {
    channel.postMessage(message);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
  }
}

const states: readonly StreamState[] = ['connecting', 'open', 'waiting', 'closed'];

/** Pages of another version of the studio may be open beside this one: what they say is judged. */
function parse(data: unknown): Message | undefined {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return undefined;
  if (data.kind === 'ask' && 'from' in data) return { kind: 'ask', from: String(data.from) };
  if (data.kind === 'event' && 'event' in data && isEvent(data.event)) return { kind: 'event', event: data.event };
  if (data.kind !== 'state' || !('state' in data) || !('online' in data) || !('to' in data)) return undefined;
  const state = states.find((s) => s === data.state);
  return state && { kind: 'state', state, online: data.online !== false, to: String(data.to) };
}

function isEvent(value: unknown): value is StreamEvent {
  if (typeof value !== 'object' || value === null) return false;
  return ['id', 'type', 'data'].every((key) => typeof new Map(Object.entries(value)).get(key) === 'string');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
  });
}
