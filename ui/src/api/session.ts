import { createStore } from '@/lib/store';
import { SignedOut } from './errors';

/**
 * What happens when the session ends while a page is open. The first request that is answered 401 opens the
 * sign-in dialog over the page; it and every later one wait here and are sent again after signing in, so that
 * nothing typed and no pressed button is lost. All pages of the browser have one session: signing in to one of them
 * is enough.
 */
export const sessionOver = createStore(false);

interface Waiting {
  promise: Promise<void>;
  resolve: () => void;
  reject: (reason: SignedOut) => void;
  /** Stops listening to the other pages. */
  unlisten: () => void;
}
let waiting: Waiting | undefined;

/** Resolves once somebody has signed in again; rejects with SignedOut when the dialog is left, or when `signal` aborts. */
export function signedIn(signal?: AbortSignal): Promise<void> {
  if (!waiting) {
    const { promise, resolve, reject } = withResolvers();
    waiting = { promise, resolve, reject, unlisten: listen(restore) };
    // Without requests that still care, a rejection is nobody's error.
    promise.catch(() => undefined);
    sessionOver.set(true);
  }
  const session = waiting.promise;
  if (!signal) return session;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    session.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function withResolvers(): Omit<Waiting, 'unlisten'> {
  let resolve: () => void = () => undefined;
  let reject: (reason: SignedOut) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const channelName = 'studio session';

/** Hears of a sign-in in another page. */
function listen(onRestored: () => void): () => void {
  if (!globalThis.BroadcastChannel) return () => undefined;
  const channel = new BroadcastChannel(channelName);
  channel.onmessage = onRestored;
  return () => channel.close();
}

let restorations = 0;

/** Grows with each sign-in. A 401 to a request from before the last one says nothing about the session of now. */
export const sessionTurn = (): number => restorations;

/** Called by the sign-in dialog when it has a new session. */
export function sessionRestored(): void {
  restore();
  if (!globalThis.BroadcastChannel) return;
  const channel = new BroadcastChannel(channelName);
  channel.postMessage('restored');
  channel.close();
}

function restore(): void {
  restorations++;
  const done = end();
  done?.resolve();
}

function end(): Waiting | undefined {
  const done = waiting;
  waiting = undefined;
  done?.unlisten();
  sessionOver.set(false);
  return done;
}

/** Called when the person leaves the dialog without signing in. */
export function sessionAbandoned(): void {
  end()?.reject(new SignedOut('signed out'));
}
