import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  notFound,
} from '@tanstack/react-router';
import { pageOfList } from '@/components/list/address';
import { LoadError } from '@/components/load-error';
import { Page } from '@/components/page';
import { paths } from '@/lib/paths';
import { type ClientId, clientIds } from '@/pages/connect/snippets';
import { parseDetailSearch, parseListSearch } from '@/pages/connections/list-search';
import { newToolSearch, toolSearch, toolsSearch } from '@/pages/tools/search';
import { Shell } from './shell';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: lazyRouteComponent(() => import('@/pages/not-found/not-found-page')),
});

const sections = ['general', 'variables', 'encryption'] as const;
const securityTabs = ['checklist', 'sandbox'] as const;
const deployTabs = ['changes', 'logs', 'revisions'] as const;

const routeTree = root.addChildren([
  createRoute({
    getParentRoute: () => root,
    path: paths.home,
    component: lazyRouteComponent(() => import('@/pages/home/home-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.connections,
    validateSearch: parseListSearch,
    component: lazyRouteComponent(() => import('@/pages/connections/connections-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.connectionNew,
    validateSearch: parseDetailSearch,
    component: lazyRouteComponent(() => import('@/pages/connections/connection-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.connection,
    validateSearch: parseDetailSearch,
    component: lazyRouteComponent(() => import('@/pages/connections/connection-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.tools,
    validateSearch: toolsSearch,
    component: lazyRouteComponent(() => import('@/pages/tools/tools-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.toolNew,
    validateSearch: newToolSearch,
    component: lazyRouteComponent(() => import('@/pages/tools/tool-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.tool,
    validateSearch: toolSearch,
    component: lazyRouteComponent(() => import('@/pages/tools/tool-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.connect,
    validateSearch: (search): { client?: ClientId } => ({ client: clientIds.find((c) => c === search.client) }),
    component: lazyRouteComponent(() => import('@/pages/connect/connect-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.deploy,
    validateSearch: (search): { tab?: (typeof deployTabs)[number]; page?: number } => ({
      tab: deployTabs.find((t) => t === search.tab),
      page: pageOfList(search.page),
    }),
    component: lazyRouteComponent(() => import('@/pages/deploy/deploy-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.security,
    validateSearch: (search): { tab?: (typeof securityTabs)[number] } => ({
      tab: securityTabs.find((t) => t === search.tab),
    }),
    component: lazyRouteComponent(() => import('@/pages/security/security-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.account,
    component: lazyRouteComponent(() => import('@/pages/account/account-page')),
  }),
  createRoute({
    getParentRoute: () => root,
    path: paths.settings,
    params: {
      parse: ({ section }): { section: (typeof sections)[number] } => {
        const known = sections.find((s) => s === section);
        if (!known) throw notFound();
        return { section: known };
      },
      stringify: ({ section }) => ({ section }),
    },
    component: lazyRouteComponent(() => import('@/pages/settings/settings-page')),
  }),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: PageError,
});

// After navigation the heading of the new page takes the focus: screen readers start there, and so does Tab.
router.subscribe('onRendered', ({ fromLocation, pathChanged }) => {
  if (fromLocation && pathChanged) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
});

function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page failed" doc="Error">
      <LoadError title="This page failed" error={error} onRetry={reset} />
    </Page>
  );
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
