/**
 * Every address of the UI and every server address that is not part of the generated client.
 * A snapshot test holds them: they are bookmarked, linked from documents and printed by the binary.
 */
export const paths = {
  home: '/',
  connections: '/connections',
  connectionNew: '/connections/new',
  connection: '/connections/$id',
  tools: '/tools',
  toolNew: '/tools/new',
  tool: '/tools/$id',
  deploy: '/deploy',
  connect: '/connect',
  security: '/security',
  settings: '/settings/$section',
  account: '/account',
} as const;

/** Pages of the auth bundle: full page loads, outside the router. */
export const authPaths = { login: '/login', setup: '/setup' } as const;

export const serverPaths = {
  health: '/api/health',
  reference: '/api/docs',
  events: '/api/v1/events',
  deployLogs: '/api/v1/deploy/logs',
} as const;

/** The sign-in page that returns to `back` afterwards. */
export function loginPath(back: string): string {
  return back === '/' ? authPaths.login : `${authPaths.login}?next=${encodeURIComponent(back)}`;
}

/**
 * Where to go after signing in. Only an address of this origin is followed: anything else
 * (another host, `//host`, `/\host`, a scheme) would make the sign-in page an open redirect.
 */
export function nextPath(search: string, origin: string): string {
  const next = new URLSearchParams(search).get('next');
  if (!next?.startsWith('/')) return '/';
  try {
    const url = new URL(next, origin);
    const own = url.origin === origin && !/^\/(login|setup)(\/|$)/.test(url.pathname);
    return own ? url.pathname + url.search + url.hash : '/';
  } catch {
    return '/';
  }
}
