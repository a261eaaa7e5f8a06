import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { statusQuery } from '@/api/queries';
import { LoadError } from '@/components/load-error';
import { authPaths, loginPath } from '@/lib/paths';
import { useDelayed } from '@/lib/use-delayed';
import { Logo } from '@/ui/logo';

/** Asks once who is here. Nobody: the sign-in page. No admin yet: setup. Otherwise the application. */
export function Boot({ children }: { children: ReactNode }) {
  const status = useQuery({ ...statusQuery, retry: false });
  const late = useDelayed(status.isPending, 300);
  // Decided once: a session that ends later gets a dialog over the page, never a redirect that loses it.
  const [started, setStarted] = useState(false);
  const elsewhere = started ? undefined : redirect(status.data);
  useEffect(() => {
    if (elsewhere) location.replace(elsewhere);
    else if (status.data) setStarted(true);
  }, [elsewhere, status.data]);

  if (started || (status.data && !elsewhere)) return children;
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      {status.isError ? (
        <div>
          <h1 className="sr-only">Studio</h1>
          <LoadError title="Studio could not be started" error={status.error} onRetry={() => void status.refetch()} />
        </div>
      ) : (
        late && (
          <div className="grid justify-items-center gap-3 text-control text-muted" aria-busy="true">
            <Logo size={32} />
            <h1>Loading Studio</h1>
          </div>
        )
      )}
    </main>
  );
}

function redirect(status?: { setup_required: boolean; authenticated: boolean }): string | undefined {
  if (!status) return undefined;
  if (status.setup_required) return authPaths.setup;
  return status.authenticated ? undefined : loginPath(location.pathname + location.search);
}
