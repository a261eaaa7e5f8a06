import { onlineManager, QueryClient } from '@tanstack/react-query';
import { connectivity } from './connectivity';
import { ApiError, Offline } from './errors';

const retries = 2;

/**
 * The cache of everything the server said. While the server is away queries and mutations wait instead of failing,
 * and go on when it is back (`connectivity` is what the library asks). A mutation that was already sent is never
 * sent twice on its own: nobody knows whether the first one arrived.
 */
export function createQueryClient(): QueryClient {
  onlineManager.setEventListener((setOnline) => {
    setOnline(connectivity.get().online);
    return connectivity.subscribe(() => setOnline(connectivity.get().online));
  });
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) =>
          error instanceof Offline || (error instanceof ApiError && error.status >= 500 && count < retries),
      },
      mutations: { retry: false },
    },
  });
}

/** What became out of date when something of this kind changed. Nouns are the first members of query keys. */
const dependents: Readonly<Record<string, readonly string[]>> = {
  connection: ['connections', 'deploy', 'sample'],
  tool: ['tools', 'deploy', 'sample'],
  resource: ['resources', 'deploy', 'sample'],
  prompt: ['prompts', 'deploy', 'sample'],
  server_config: ['server', 'deploy'],
  mcp_token: ['mcp-tokens'],
  revision: ['deploy', 'server'],
  account: ['auth', 'server'],
  encryption: ['server'],
};

/** Renews what depends on one kind of entity. Mutations call it; so does the event stream. */
export async function invalidateKind(client: QueryClient, kind: string): Promise<void> {
  const nouns = dependents[kind] ?? [];
  await Promise.all([...nouns, 'history'].map((noun) => client.invalidateQueries({ queryKey: [noun] })));
}
