import { useQuery } from '@tanstack/react-query';
import { allTokensQuery } from '@/api/queries';
import { Time } from '@/components/time';
import { Card } from '@/ui/card';
import { CopyIcon } from '@/ui/copy-button';
import { State } from '@/ui/state';

interface Props {
  url: string;
  /** The token that was just made; without one, any token counts. */
  tokenId: string | undefined;
  /** The server asks for no token, so it cannot tell clients apart. */
  open: boolean;
}

/** Waits for the client and turns green when its first request arrives. The event stream brings the news. */
export function CheckCard({ url, tokenId, open }: Props) {
  const tokens = useQuery({ ...allTokensQuery, refetchInterval: 5_000 });
  const all = tokens.data?.items ?? [];
  const used = all
    .filter((t) => t.last_used_at !== null && (tokenId === undefined || t.id === tokenId))
    .sort((a, b) => String(b.last_used_at).localeCompare(String(a.last_used_at)))[0];
  return (
    <Card title="Check connection">
      <div role="status" className="grid gap-3">
        {open ? (
          <>
            <State kind="warning" className="font-medium">
              No token is asked for
            </State>
            <p className="text-control text-muted">
              A client that calls without a token is not seen here. Everyone who reaches the address may call every
              tool.
            </p>
          </>
        ) : used?.last_used_at ? (
          <>
            <State kind="live" className="font-medium">
              {`${used.last_client || 'A client'} connected`}
            </State>
            <p className="text-control text-muted">
              With the token “{used.name}”, <Time at={used.last_used_at} />
              {used.last_listed > 0 ? `; it listed ${used.last_listed} tools.` : '.'}
            </p>
          </>
        ) : (
          <>
            <State kind="draft" className="font-medium">
              Waiting for the client
            </State>
            <p className="text-control text-muted">
              {tokenId === undefined
                ? 'Create a token, add the snippet to your client and start it.'
                : 'Add the snippet to your client and start it. This turns green at its first request.'}
            </p>
          </>
        )}
        <div className="flex items-center gap-1 border-t border-line pt-3">
          <code className="min-w-0 flex-1 font-mono text-label break-all text-muted">{url}</code>
          <CopyIcon label="Copy address" text={url} />
        </div>
      </div>
    </Card>
  );
}
