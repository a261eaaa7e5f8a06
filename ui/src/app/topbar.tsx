import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { ChevronRight, Menu as MenuIcon, Search } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { deployStatusQuery } from '@/api/queries';
import { currentTitle } from '@/components/page';
import { plural } from '@/lib/format';
import { ariaShortcut, isApple } from '@/lib/keys';
import { paths } from '@/lib/paths';
import { useStore } from '@/lib/store';
import { states } from '@/lib/words';
import { iconButtonClass } from '@/ui/icon-button-class';
import { Kbd } from '@/ui/kbd';
import { StateIcon, type StateKind } from '@/ui/state';
import { pageOf } from './nav';

const loadMenus = () => import('./top-menus');
const TopMenus = lazy(() => loadMenus().then((m) => ({ default: m.TopMenus })));

const pill =
  'relative inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-label font-medium whitespace-nowrap pointer-coarse:h-9 pointer-coarse:after:absolute pointer-coarse:after:inset-x-0 pointer-coarse:after:-inset-y-1.5';

interface Props {
  onSearch: () => void;
  onPreloadSearch: () => void;
  onMenu: () => void;
}

export function Topbar({ onSearch, onPreloadSearch, onMenu }: Props) {
  return (
    <header className="flex h-12 items-center gap-2 border-b border-line bg-bg px-2 sm:px-4">
      <button
        type="button"
        aria-label="Open navigation"
        onClick={onMenu}
        className={iconButtonClass('md', 'md:hidden')}
      >
        <MenuIcon aria-hidden />
      </button>
      <Breadcrumb />
      <button
        type="button"
        onClick={onSearch}
        onPointerEnter={onPreloadSearch}
        onFocus={onPreloadSearch}
        aria-keyshortcuts={ariaShortcut('mod+k', isApple(navigator.platform))}
        className="ml-auto flex h-8 shrink-0 items-center gap-2 rounded-md border border-line bg-surface px-2 text-control text-muted hover:border-edge hover:text-fg max-lg:size-8 max-lg:justify-center max-lg:border-transparent max-lg:bg-transparent lg:w-60 pointer-coarse:h-11 max-lg:pointer-coarse:w-11"
      >
        <Search aria-hidden />
        <span className="flex-1 text-left max-lg:sr-only">Search</span>
        <span aria-hidden className="max-lg:hidden">
          <Kbd keys="mod+k" />
        </span>
      </button>
      <ServerPills />
      <Suspense fallback={<span className="w-17 max-sm:w-8" />}>
        <TopMenus />
      </Suspense>
    </header>
  );
}

const serverLook: Record<'stopped' | 'deploying' | 'running' | 'error', [kind: StateKind, word: string]> = {
  stopped: ['draft', states.notRunning],
  deploying: ['saved', states.deploying],
  running: ['live', states.live],
  error: ['error', states.error],
};

/** What waits to go live, and what is live: the same words on every page. */
function ServerPills() {
  const { data: status } = useQuery(deployStatusQuery);
  if (!status) return null;
  const [kind, word] = serverLook[status.status];
  return (
    <>
      {status.undeployed_changes > 0 && (
        <Link to={paths.deploy} className={`${pill} border-warn/40 bg-warn-soft text-warn hover:border-warn`}>
          <StateIcon kind="saved" />
          <span className="tabular-nums sm:hidden" aria-hidden>
            {status.undeployed_changes}
          </span>
          <span className="max-sm:sr-only">{plural(status.undeployed_changes, 'undeployed change')}</span>
        </Link>
      )}
      <Link
        to={paths.deploy}
        search={{ tab: 'revisions' }}
        className={`${pill} border-line hover:bg-raised max-sm:hidden`}
      >
        <StateIcon kind={kind} />
        {word}
        {status.revision > 0 && <span className="text-muted tabular-nums">revision {status.revision}</span>}
      </Link>
    </>
  );
}

function Breadcrumb() {
  const path = useLocation({ select: (l) => l.pathname });
  const title = useStore(currentTitle);
  const page = pageOf(path);
  // A section of a page that has the page's own title is not below it.
  const below = page !== undefined && path !== page.to && title !== page.label;
  const here = below || !page ? title : page.label;
  return (
    <nav aria-label="Breadcrumb" className="min-w-0">
      <ol className="flex min-w-0 items-center gap-1 text-control">
        {page?.group && (
          <li className="flex items-center gap-1 text-muted max-sm:hidden">
            {page.group}
            <ChevronRight aria-hidden className="size-3.5" />
          </li>
        )}
        {below && (
          <li className="flex items-center gap-1">
            <Link to={page.to} className="rounded text-muted hover:text-fg">
              {page.label}
            </Link>
            {here && <ChevronRight aria-hidden className="size-3.5 shrink-0 text-muted" />}
          </li>
        )}
        {here && (
          <li className="min-w-0">
            <span aria-current="page" title={here} className="block truncate font-medium">
              {here}
            </span>
          </li>
        )}
      </ol>
    </nav>
  );
}
