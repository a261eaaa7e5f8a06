import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { Keyboard, LogOut, Monitor, Moon, Rocket, Search, Sun } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo } from 'react';
import { watchNetwork } from '@/api/connectivity';
import { statusQuery } from '@/api/queries';
import { sessionOver } from '@/api/session';
import { useLiveEvents } from '@/api/use-live-events';
import { cx } from '@/lib/cx';
import { paths } from '@/lib/paths';
import { createStore, useStore } from '@/lib/store';
import { setTheme } from '@/lib/theme';
import { useStored } from '@/lib/use-stored';
import { buttons } from '@/lib/words';
import { Toasts } from '@/ui/toasts';
import { type Action, useActions } from './actions';
import { paletteOpen, shortcutsOpen } from './layers';
import { LiveRegions } from './live-regions';
import { pages, places } from './nav';
import { OfflineBanner } from './offline-banner';
import { Sidebar } from './sidebar';
import type { SidebarLook } from './sidebar-look';
import { Topbar } from './topbar';
import { useKeptFocus } from './use-kept-focus';
import { useKeyboard } from './use-keyboard';

const loadPalette = () => import('./palette');
const Palette = lazy(() => loadPalette().then((m) => ({ default: m.Palette })));
const Sheet = lazy(() => import('./sheet').then((m) => ({ default: m.Sheet })));
const ShortcutSheet = lazy(() => import('./shortcut-sheet').then((m) => ({ default: m.ShortcutSheet })));
const SignInDialog = lazy(() => import('./sign-in-dialog').then((m) => ({ default: m.SignInDialog })));

const sheetOpen = createStore(false);

/** Sidebar, top bar, and the layers that belong to no page. */
export function Shell() {
  useLiveEvents();
  useKeyboard();
  useKeptFocus();
  useGlobalActions();
  useEffect(watchNetwork, []);
  const [stored, setStored] = useStored('sidebar', 'auto');
  const look: SidebarLook = stored === 'open' || stored === 'icons' ? stored : 'auto';
  const toggle = () => {
    const open = look === 'open' || (look === 'auto' && matchMedia('(min-width: 80rem)').matches);
    setStored(open ? 'icons' : 'open');
  };
  return (
    <div className={cx('grid min-h-dvh', columns[look])}>
      <SkipLink />
      <aside aria-label="Sidebar" className="sticky top-0 hidden h-dvh border-r border-line md:block">
        <Sidebar look={look} onToggle={toggle} onShortcuts={() => shortcutsOpen.set(true)} />
      </aside>
      <div className="flex min-w-0 flex-col">
        <div className="sticky top-0 z-30">
          <OfflineBanner />
          <Topbar
            onSearch={() => paletteOpen.set(true)}
            onPreloadSearch={() => void loadPalette()}
            onMenu={() => sheetOpen.set(true)}
          />
        </div>
        <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Layers />
      <Toasts />
      <LiveRegions />
    </div>
  );
}

const columns: Record<SidebarLook, string> = {
  auto: 'md:grid-cols-[56px_minmax(0,1fr)] xl:grid-cols-[216px_minmax(0,1fr)]',
  open: 'md:grid-cols-[216px_minmax(0,1fr)]',
  icons: 'md:grid-cols-[56px_minmax(0,1fr)]',
};

function Layers() {
  const { data: status } = useQuery(statusQuery);
  const palette = useStore(paletteOpen);
  const shortcuts = useStore(shortcutsOpen);
  const sheet = useStore(sheetOpen);
  const over = useStore(sessionOver);
  return (
    <Suspense>
      {palette && <Palette onClose={() => paletteOpen.set(false)} />}
      {shortcuts && <ShortcutSheet onClose={() => shortcutsOpen.set(false)} />}
      {sheet && <Sheet onClose={() => sheetOpen.set(false)} />}
      {over && <SignInDialog username={status?.username ?? ''} />}
    </Suspense>
  );
}

const themes: readonly Action[] = [
  { id: 'theme light', label: 'Use the light theme', icon: Sun, run: () => setTheme('light') },
  { id: 'theme dark', label: 'Use the dark theme', icon: Moon, run: () => setTheme('dark') },
  { id: 'theme system', label: 'Use the theme of the system', icon: Monitor, run: () => setTheme('system') },
];

function useGlobalActions(): void {
  const navigate = useNavigate();
  const actions = useMemo<Action[]>(
    () => [
      {
        id: 'palette',
        label: 'Search or run a command',
        icon: Search,
        keys: 'mod+k',
        hidden: true,
        run: () => paletteOpen.set(true),
      },
      {
        id: 'shortcuts',
        label: 'Show keyboard shortcuts',
        icon: Keyboard,
        keys: '?',
        synonyms: 'help keys hotkeys',
        run: () => shortcutsOpen.set(true),
      },
      {
        id: 'deploy',
        label: 'Open Deploy',
        icon: Rocket,
        keys: 'mod+shift+d',
        synonyms: 'publish release live',
        run: () => void navigate({ to: paths.deploy }),
      },
      ...pages.map((page) => ({
        id: `go ${page.to}`,
        label: `Go to ${page.label}`,
        icon: page.icon,
        keys: page.keys,
        synonyms: page.synonyms,
        run: () => void navigate({ to: page.to }),
      })),
      ...places.map((place) => ({
        id: `go ${place.address}`,
        label: `Go to ${place.label}`,
        icon: place.icon,
        synonyms: place.synonyms,
        run: () => void navigate({ href: place.address }),
      })),
      ...themes,
      {
        id: 'sign-out',
        label: buttons.signOut,
        icon: LogOut,
        synonyms: 'log out leave',
        run: () => void import('./top-menus').then((m) => m.leave()),
      },
    ],
    [navigate],
  );
  useActions('everywhere', actions);
}

/** A button: the address must not change, or Back would lead to the same page. */
function SkipLink() {
  return (
    <button
      type="button"
      onClick={() => document.getElementById('main')?.focus()}
      className="sr-only z-60 rounded-md bg-accent px-3 py-2 text-accent-fg focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
    >
      Skip to content
    </button>
  );
}
