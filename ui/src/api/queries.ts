import { queryOptions } from '@tanstack/react-query';
import { authStatus } from './auth';
import { api, body } from './client';
import type { paths } from './schema';

type ListQuery<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never;

/** The most a page has. */
const pageLimit = 100;
/** More than this is not read for a choice or a count. */
const mostEntries = 2_000;

interface Part<T> {
  items: T[];
  total: number;
}

/** Every entry of a list, page by page. What comes or goes meanwhile announces itself as a change, and the list is read again. */
async function everyPage<T>(read: (part: { limit: number; skip: number }) => Promise<Part<T>>): Promise<Part<T>> {
  const items: T[] = [];
  for (;;) {
    const page = await read({ limit: pageLimit, skip: items.length });
    items.push(...page.items);
    if (page.items.length < pageLimit || items.length >= Math.min(page.total, mostEntries)) {
      return { items, total: page.total };
    }
  }
}

/**
 * One place for every query key. The first member is the noun a mutation or a change event invalidates:
 * invalidating ['connections'] renews every list, detail and health of connections.
 */
export const statusQuery = queryOptions({
  queryKey: ['auth', 'status'],
  queryFn: ({ signal }) => authStatus(signal),
  staleTime: 60_000,
});

export const accountQuery = queryOptions({
  queryKey: ['auth', 'me'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/auth/me', { signal })),
});

export const twoFactorQuery = queryOptions({
  queryKey: ['auth', '2fa'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/auth/2fa/status', { signal })),
});

export const sessionsQuery = queryOptions({
  queryKey: ['auth', 'sessions'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/auth/sessions', { signal })),
});

/** Evaluated anew by every request. */
export const securityChecklistQuery = queryOptions({
  queryKey: ['server', 'checklist'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/checklist', { signal })),
});

export const sandboxQuery = queryOptions({
  queryKey: ['server', 'sandbox'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/sandbox', { signal })),
});

export const encryptionQuery = queryOptions({
  queryKey: ['server', 'encryption'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/encryption', { signal })),
});

export const connectionsQuery = (query: ListQuery<'/api/v1/connections'> = {}) =>
  queryOptions({
    queryKey: ['connections', 'list', query],
    queryFn: ({ signal }) => body(api.GET('/api/v1/connections', { params: { query }, signal })),
  });

export const connectionQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', 'one', id],
    queryFn: ({ signal }) => body(api.GET('/api/v1/connections/{id}', { params: { path: { id } }, signal })),
  });

/** For choices, and to say which connection something uses. */
export const allConnectionsQuery = queryOptions({
  queryKey: ['connections', 'all'],
  queryFn: ({ signal }) =>
    everyPage((part) => body(api.GET('/api/v1/connections', { params: { query: { ...part, sort: 'name' } }, signal }))),
});

/** The last known state of each; nothing is dialled. */
export const connectionHealthQuery = queryOptions({
  queryKey: ['connections', 'health'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/connections/health', { signal })),
});

export const connectionUsageQuery = (id: string) =>
  queryOptions({
    queryKey: ['connections', 'usage', id],
    queryFn: ({ signal }) => body(api.GET('/api/v1/connections/{id}/usage', { params: { path: { id } }, signal })),
  });

export const driversQuery = queryOptions({
  queryKey: ['drivers'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/drivers', { signal })),
  // It changes with the binary only.
  staleTime: Number.POSITIVE_INFINITY,
});

export const sqliteFilesQuery = queryOptions({
  queryKey: ['server', 'sqlite-files'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/sqlite-files', { signal })),
});

/** Reading a schema makes the database work, so it is read again on demand only; its age is shown. */
const schemaAge = 10 * 60_000;

export const tablesQuery = (connection: string, query: ListQuery<'/api/v1/schema/{connection}/tables'> = {}) =>
  queryOptions({
    queryKey: ['schema', connection, 'tables', query],
    queryFn: ({ signal }) =>
      body(api.GET('/api/v1/schema/{connection}/tables', { params: { path: { connection }, query }, signal })),
    staleTime: schemaAge,
  });

export const columnsQuery = (connection: string, schema: string, table: string) =>
  queryOptions({
    queryKey: ['schema', connection, 'columns', schema, table],
    queryFn: ({ signal }) =>
      body(
        api.GET('/api/v1/schema/{connection}/tables/{table}/columns', {
          params: { path: { connection, table }, query: schema ? { schema } : {} },
          signal,
        }),
      ),
    staleTime: schemaAge,
  });

/** Who changed one entity, newest first. */
export const entityHistoryQuery = (type: string, id: string, limit = 50) =>
  queryOptions({
    queryKey: ['history', type, id, limit],
    queryFn: ({ signal }) =>
      body(api.GET('/api/v1/history/{type}/{id}', { params: { path: { type, id }, query: { limit } }, signal })),
  });

export const toolsQuery = (query: ListQuery<'/api/v1/tools'> = {}) =>
  queryOptions({
    queryKey: ['tools', 'list', query],
    queryFn: ({ signal }) => body(api.GET('/api/v1/tools', { params: { query }, signal })),
  });

/** To count what uses what. */
export const allToolsQuery = queryOptions({
  queryKey: ['tools', 'all'],
  queryFn: ({ signal }) => everyPage((query) => body(api.GET('/api/v1/tools', { params: { query }, signal }))),
});

/** Each can be revoked, so none is left out. */
export const allTokensQuery = queryOptions({
  queryKey: ['mcp-tokens', 'all'],
  queryFn: ({ signal }) => everyPage((query) => body(api.GET('/api/v1/mcp-tokens', { params: { query }, signal }))),
});

export const deployStatusQuery = queryOptions({
  queryKey: ['deploy', 'status'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/deploy/status', { signal })),
  // The event stream pushes it; this only mends a missed event.
  refetchInterval: 30_000,
});

export const sampleQuery = queryOptions({
  queryKey: ['sample'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/sample', { signal })),
});

export const deployDiffQuery = queryOptions({
  queryKey: ['deploy', 'diff'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/deploy/diff', { signal })),
});

export const revisionDiffQuery = (from: number, to: number) =>
  queryOptions({
    queryKey: ['deploy', 'diff', from, to],
    queryFn: ({ signal }) => body(api.GET('/api/v1/deploy/diff', { params: { query: { from, to } }, signal })),
  });

export const revisionsQuery = (query: ListQuery<'/api/v1/deploy/revisions'> = {}) =>
  queryOptions({
    queryKey: ['deploy', 'revisions', query],
    queryFn: ({ signal }) => body(api.GET('/api/v1/deploy/revisions', { params: { query }, signal })),
  });

export const configQuery = queryOptions({
  queryKey: ['server', 'config'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/config', { signal })),
});

/** What runs now; a 404 means that nothing does. */
export const generatedQuery = queryOptions({
  queryKey: ['server', 'generated'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/server/generated', { signal })),
});

export const snippetsQuery = queryOptions({
  queryKey: ['connect', 'snippets'],
  queryFn: ({ signal }) => body(api.GET('/api/v1/connect/snippets', { signal })),
});
