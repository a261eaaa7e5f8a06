import { createStore } from '@/lib/store';
import { SignedOut } from './errors';

/**
 * What happens when the session ends while a page is open. The first request that is answered 401 opens the
 * sign-in dialog over the page; it and every later one wait here and are sent again after signing in, so that
 * nothing typed and no pressed button is lost.
 */
export const sessionOver = createStore(false);

interface Waiting {
  promise: Promise<void>;
  resolve: () => void;
  reject: (reason: SignedOut) => void;
}
let waiting: Waiting | undefined;

/** Resolves once somebody has signed in again; rejects with SignedOut when the dialog is left, or when `signal` aborts. */
export function signedIn(signal?: AbortSignal): Promise<void> {
  if (!waiting) {
    const { promise, resolve, reject } = withResolvers();
    waiting = { promise, resolve, reject };
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

function withResolvers(): Waiting {
  let resolve: () => void = () => undefined;
  let reject: (reason: SignedOut) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Called by the sign-in dialog when it has a new session. */
export function sessionRestored(): void {
  const done = waiting;
  waiting = undefined;
  sessionOver.set(false);
  done?.resolve();
}

/** Called when the person leaves the dialog without signing in. */
export function sessionAbandoned(): void {
  const done = waiting;
  waiting = undefined;
  sessionOver.set(false);
  done?.reject(new SignedOut('signed out'));
}
