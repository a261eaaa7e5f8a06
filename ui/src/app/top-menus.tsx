import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { BookOpen, Keyboard, LogOut, Monitor, Moon, ShieldCheck, Sun, UserRound } from 'lucide-react';
import { signOut } from '@/api/auth';
import { describe } from '@/api/errors';
import { statusQuery } from '@/api/queries';
import { authPaths, paths, serverPaths } from '@/lib/paths';
import { setTheme, useTheme } from '@/lib/theme';
import { buttons } from '@/lib/words';
import { iconButtonClass } from '@/ui/icon-button-class';
import { ChoiceMenu, Menu } from '@/ui/menu';
import { toast } from '@/ui/toast-store';
import { shortcutsOpen } from './layers';

const themes = [
  { value: 'system', label: 'System', icon: <Monitor aria-hidden /> },
  { value: 'light', label: 'Light', icon: <Sun aria-hidden /> },
  { value: 'dark', label: 'Dark', icon: <Moon aria-hidden /> },
] as const;

/** Lazy: menus and their positioning code stay out of the first chunk. */
export function TopMenus() {
  const theme = useTheme();
  const navigate = useNavigate();
  const { data: status } = useQuery(statusQuery);
  const name = status?.username ?? '';
  return (
    <>
      <ChoiceMenu
        label="Theme"
        value={theme}
        options={themes}
        onChange={setTheme}
        trigger={
          <button type="button" aria-label="Theme" title="Theme" className={iconButtonClass('md', 'max-sm:hidden')}>
            {themes.find((t) => t.value === theme)?.icon}
          </button>
        }
      />
      <Menu
        trigger={
          <button
            type="button"
            aria-label="Account"
            title="Account"
            className="grid size-7 shrink-0 place-items-center rounded-full pointer-coarse:size-11"
          >
            {/* The target grows for a finger, the circle does not. */}
            <span className="grid size-7 place-items-center rounded-full border border-line bg-raised text-label font-semibold uppercase">
              {name.slice(0, 1)}
            </span>
          </button>
        }
        header={
          <div className="px-2 pt-1.5 pb-2">
            <p className="text-control font-medium">{name}</p>
            <p className="text-label text-muted">Admin</p>
          </div>
        }
        items={[
          {
            label: 'Account',
            icon: <UserRound aria-hidden />,
            onSelect: () => void navigate({ to: paths.account }),
          },
          {
            label: 'Security',
            icon: <ShieldCheck aria-hidden />,
            onSelect: () => void navigate({ to: paths.security }),
          },
          {
            label: 'Keyboard shortcuts',
            icon: <Keyboard aria-hidden />,
            shortcut: '?',
            separated: true,
            onSelect: () => shortcutsOpen.set(true),
          },
          {
            label: 'API reference',
            icon: <BookOpen aria-hidden />,
            onSelect: () => window.open(serverPaths.reference, '_blank', 'noopener'),
          },
          { label: buttons.signOut, icon: <LogOut aria-hidden />, separated: true, onSelect: () => void leave() },
        ]}
      />
    </>
  );
}

export async function leave(): Promise<void> {
  try {
    await signOut();
    location.assign(authPaths.login);
  } catch (error) {
    toast(`You are still signed in. ${describe(error).cause}`, { tone: 'warn' });
  }
}
