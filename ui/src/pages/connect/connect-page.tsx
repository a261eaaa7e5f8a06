import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { deployStatusQuery, snippetsQuery } from '@/api/queries';
import type { components } from '@/api/schema';
import { CallCard } from '@/components/call-card';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { Tabs } from '@/ui/tabs';
import { CheckCard } from './check-card';
import { SnippetList } from './snippet-list';
import { asksForToken, clientIds } from './snippets';
import { TokenBox } from './token-box';
import { TokenList } from './token-list';

const route = getRouteApi(paths.connect);

type MintedToken = components['schemas']['MintedToken'];

export default function ConnectPage() {
  const { client = 'claude-code' } = route.useSearch();
  const navigate = useNavigate();
  const snippets = useQuery(snippetsQuery);
  const status = useQuery(deployStatusQuery);
  // The token lives in this page's memory only; leaving the page forgets it.
  const [minted, setMinted] = useState<MintedToken>();

  return (
    <Page
      title="Connect"
      description="Give an AI client the address of this server and a token of its own, then see it arrive."
    >
      <QueryState
        query={snippets}
        what="the snippets"
        skeleton={
          <Card label="Clients" flush>
            <SkeletonRows rows={6} columns={2} />
          </Card>
        }
      >
        {(data) => (
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_24rem]">
            <div className="grid min-w-0 gap-4">
              {status.data && status.data.revision === 0 && (
                <Notice
                  tone="warn"
                  title="Nothing is deployed yet"
                  action={
                    <Link to={paths.deploy} className={buttonClass('outline', 'sm')}>
                      Open Deploy
                    </Link>
                  }
                >
                  A client can connect, but it gets an error until you deploy.
                </Notice>
              )}
              {data.warnings.map((warning) => (
                <Notice key={warning} tone="info">
                  {warning}
                </Notice>
              ))}
              <Card label="Client" flush>
                <Tabs
                  label="Client"
                  value={clientIds.find((id) => id === client) ?? 'other'}
                  onChange={(next) => void navigate({ to: paths.connect, search: { client: next }, replace: true })}
                  listClass="px-4"
                  panelClass="grid gap-4 p-4"
                  items={data.clients.map((c) => ({
                    value: clientIds.find((id) => id === c.id) ?? 'other',
                    label: c.name,
                    content: (
                      <>
                        {(minted || asksForToken(data)) && (
                          <TokenBox client={c.name} minted={minted} onMinted={setMinted} />
                        )}
                        <SnippetList client={c} placeholder={data.token_placeholder} token={minted?.token ?? ''} />
                      </>
                    ),
                  }))}
                />
              </Card>
              <TokenList onRevoked={(id) => setMinted((shown) => (shown?.id === id ? undefined : shown))} />
            </div>
            <div className="grid min-w-0 gap-4">
              <CheckCard url={data.url} tokenId={minted?.id} open={!asksForToken(data)} />
              <CallCard />
            </div>
          </div>
        )}
      </QueryState>
    </Page>
  );
}
