import { authStatus } from '@/api/auth';
import { loginPath } from '@/lib/paths';

/**
 * Back can bring a whole page out of the browser's memory, also after signing out. A page that is put there is hidden,
 * and shown again only to somebody who is signed in; what was typed in it is still there.
 */
export function guardRestored(): void {
  const page = document.documentElement;
  addEventListener('pagehide', (event) => {
    if (event.persisted) page.hidden = true;
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) void check().finally(() => page.removeAttribute('hidden'));
  });
}

/** Never settles when the page is left instead. */
async function check(): Promise<void> {
  const status = await authStatus().catch(() => undefined);
  if (status?.authenticated) return;
  if (status) location.replace(loginPath(location.pathname + location.search));
  else location.reload();
  await new Promise(() => undefined);
}
