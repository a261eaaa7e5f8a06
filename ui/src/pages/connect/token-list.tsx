import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, done } from '@/api/client';
import { describe } from '@/api/errors';
import { useApiMutation } from '@/api/mutations';
import { allTokensQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { useNow } from '@/lib/use-now';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { ConfirmDialog } from '@/ui/confirm-dialog';
import { SkeletonRows } from '@/ui/skeleton';
import { toast } from '@/ui/toast-store';

type Token = components['schemas']['MCPToken'];

/** The tokens there are, with their last use, and the way to revoke one. */
export function TokenList({ onRevoked }: { onRevoked: (id: string) => void }) {
  const tokens = useQuery(allTokensQuery);
  const [revoking, setRevoking] = useState<Token>();
  const revoke = useApiMutation(['mcp_token'], (id: string) =>
    done(api.DELETE('/api/v1/mcp-tokens/{id}', { params: { path: { id } } })),
  );
  return (
    <Card title="Tokens" meta={tokens.data ? String(tokens.data.total) : undefined} flush>
      <QueryState query={tokens} what="tokens" skeleton={<SkeletonRows rows={2} columns={3} />}>
        {(data) =>
          data.items.length === 0 ? (
            <p className="px-4 py-3 text-control text-muted">No client has a token yet.</p>
          ) : (
            <ul className="divide-y divide-line">
              {data.items.map((token) => (
                <li key={token.id} className="flex items-center gap-x-4 px-4 py-2.5">
                  <div className="grid min-w-0 flex-1 gap-x-4 gap-y-0.5 sm:grid-cols-[minmax(0,1fr)_auto] sm:items-center">
                    <span className="min-w-0">
                      <span className="block truncate text-control font-medium" title={token.name}>
                        {token.name}
                      </span>
                      <code className="font-mono text-label text-muted">{token.prefix}…</code>
                    </span>
                    <Use token={token} />
                  </div>
                  <Button size="sm" aria-label={`Revoke ${token.name}`} onClick={() => setRevoking(token)}>
                    Revoke
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </QueryState>
      <ConfirmDialog
        open={revoking !== undefined}
        onClose={() => setRevoking(undefined)}
        title={`Revoke token ${revoking?.name ?? ''}`}
        verb="Revoke token"
        describeError={(error) => describe(error).cause}
        onConfirm={async () => {
          if (!revoking) return;
          await revoke.mutateAsync(revoking.id);
          onRevoked(revoking.id);
          toast(`Revoked ${revoking.name}. Its next request is refused.`);
        }}
      >
        <p>
          The client that uses it is refused from its next request on.
          {revoking?.last_used_at ? (
            <>
              {' '}
              It was last used <Time at={revoking.last_used_at} />
              {revoking.last_used_ip ? ` from ${revoking.last_used_ip}` : ''}.
            </>
          ) : (
            ' It was never used.'
          )}
        </p>
      </ConfirmDialog>
    </Card>
  );
}

/** Who used it last, and until when it is good, where it ends. */
function Use({ token }: { token: Token }) {
  const now = useNow(30_000);
  const ended = token.expires_at !== null && new Date(token.expires_at) <= now;
  return (
    <span className="grid gap-0.5 text-label text-muted sm:justify-items-end">
      <span>
        {token.last_used_at ? (
          <>
            {token.last_client || 'unknown client'}, <Time at={token.last_used_at} />
          </>
        ) : (
          'never used'
        )}
      </span>
      {token.expires_at !== null && (
        <span className={ended ? 'text-warn' : undefined}>
          {ended ? 'expired' : 'expires'} <Time at={token.expires_at} />
        </span>
      )}
    </span>
  );
}
