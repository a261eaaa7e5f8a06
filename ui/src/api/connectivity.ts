import { backoff } from '@/lib/backoff';
import { serverPaths } from '@/lib/paths';
import { createStore } from '@/lib/store';

/**
 * Whether the server answers. Every request reports here; once one finds nobody, the health address is asked
 * with growing pauses until it answers, and everything that waited goes on.
 */
export interface Connectivity {
  online: boolean;
  /** When the connection was lost, in milliseconds since the epoch. */
  since: number;
  attempts: number;
}

export const connectivity = createStore<Connectivity>({ online: true, since: 0, attempts: 0 });

let timer: ReturnType<typeof setTimeout> | undefined;

export function reportOnline(): void {
  clearTimeout(timer);
  timer = undefined;
  if (!connectivity.get().online) connectivity.set({ online: true, since: 0, attempts: 0 });
}

export function reportOffline(): void {
  if (!connectivity.get().online) return;
  connectivity.set({ online: false, since: Date.now(), attempts: 0 });
  schedule(0);
}

/** Asks at once instead of waiting for the next attempt. */
export async function reconnect(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  const state = connectivity.get();
  if (state.online) return;
  if (await healthy()) {
    reportOnline();
    return;
  }
  const attempts = state.attempts + 1;
  connectivity.set({ ...state, attempts });
  schedule(attempts);
}

function schedule(attempts: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void reconnect(), backoff(attempts));
}

async function healthy(): Promise<boolean> {
  try {
    const response = await fetch(serverPaths.health, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    return response.ok;
  } catch {
    return false;
  }
}

/** Follows the browser's own knowledge of the network; returns what undoes it. */
export function watchNetwork(): () => void {
  const up = () => void reconnect();
  addEventListener('online', up);
  addEventListener('offline', reportOffline);
  return () => {
    removeEventListener('online', up);
    removeEventListener('offline', reportOffline);
    clearTimeout(timer);
  };
}
