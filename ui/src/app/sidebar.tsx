import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { ChevronsLeft, ChevronsRight, Keyboard } from 'lucide-react';
import { connectionsQuery, statusQuery, toolsQuery } from '@/api/queries';
import { cx } from '@/lib/cx';
import { paths } from '@/lib/paths';
import { iconButtonClass } from '@/ui/icon-button-class';
import { Logo } from '@/ui/logo';
import { type NavPage, nav, pageOf } from './nav';
import { onlyIcons, type SidebarLook } from './sidebar-look';
import { TwoFactorOffer } from './two-factor-offer';

interface Props {
  look: SidebarLook;
  onToggle?: () => void;
  onNavigate?: () => void;
  onShortcuts?: () => void;
}

export function Sidebar({ look, onToggle, onNavigate, onShortcuts }: Props) {
  const { data: status } = useQuery(statusQuery);
  const counts = useCounts();
  return (
    <div className="flex h-full flex-col">
      <div
        className={cx(
          'flex h-12 shrink-0 items-center gap-2.5 px-4',
          onlyIcons(look, 'justify-center px-0!', 'max-xl:justify-center max-xl:px-0!'),
        )}
      >
        <Logo />
        <span className={cx('text-body font-semibold tracking-[-0.01em]', onlyIcons(look, 'hidden', 'max-xl:hidden'))}>
          Studio
        </span>
      </div>
      <nav aria-label="Main" className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {nav.map((group) => (
          <div
            key={group.label}
            className={cx(
              group.label && 'mt-3',
              group.label &&
                onlyIcons(
                  look,
                  'mt-2! border-t border-line pt-2',
                  'max-xl:mt-2! max-xl:border-t max-xl:border-line max-xl:pt-2',
                ),
            )}
          >
            {group.label && (
              <p
                className={cx(
                  'px-2 pb-1 text-label font-medium text-muted',
                  onlyIcons(look, 'hidden', 'max-xl:hidden'),
                )}
              >
                {group.label}
              </p>
            )}
            <ul className="grid gap-px">
              {group.pages.map((page) => (
                <li key={page.to}>
                  <PageLink page={page} look={look} count={counts[page.to]} onNavigate={onNavigate} />
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <TwoFactorOffer look={look} onNavigate={onNavigate} />
      {onToggle && (
        <div
          className={cx(
            'flex shrink-0 items-center border-t border-line p-2',
            onlyIcons(look, 'flex-col', 'max-xl:flex-col'),
          )}
        >
          <span
            className={cx(
              'min-w-0 flex-1 truncate px-2 text-label text-muted tabular-nums',
              onlyIcons(look, 'hidden', 'max-xl:hidden'),
            )}
          >
            {status?.version}
          </span>
          <button
            type="button"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={onShortcuts}
            className={iconButtonClass('sm')}
          >
            <Keyboard aria-hidden />
          </button>
          <ToggleButton look={look} onToggle={onToggle} />
        </div>
      )}
    </div>
  );
}

function PageLink({
  page,
  look,
  count,
  onNavigate,
}: {
  page: NavPage;
  look: SidebarLook;
  count?: number;
  onNavigate?: () => void;
}) {
  // Also on the addresses below it, which the link itself would not see for a page with sections.
  const current = useLocation({ select: (l) => pageOf(l.pathname)?.to === page.to });
  return (
    <Link
      to={page.to}
      onClick={onNavigate}
      title={page.label}
      data-current={current || undefined}
      className={cx(
        'focus-inset group flex h-7.5 items-center gap-2.5 rounded-md px-2 text-control text-muted hover:bg-hover hover:text-fg data-current:bg-raised data-current:font-medium data-current:text-fg pointer-coarse:h-11',
        onlyIcons(look, 'justify-center', 'max-xl:justify-center'),
      )}
    >
      <page.icon aria-hidden className="group-data-current:text-link" />
      <span className={cx('flex-1', onlyIcons(look, 'sr-only', 'max-xl:sr-only'))}>{page.label}</span>
      {count !== undefined && (
        <span
          className={cx('text-label font-normal text-muted tabular-nums', onlyIcons(look, 'hidden', 'max-xl:hidden'))}
        >
          {count}
        </span>
      )}
    </Link>
  );
}

/** In "auto" the width decides what is shown now, so there are two buttons and CSS picks one. */
function ToggleButton({ look, onToggle }: { look: SidebarLook; onToggle: () => void }) {
  const expand = (
    <button
      key="expand"
      type="button"
      aria-label="Expand sidebar"
      onClick={onToggle}
      className={iconButtonClass('sm', look === 'auto' ? 'xl:hidden' : '')}
    >
      <ChevronsRight aria-hidden />
    </button>
  );
  const collapse = (
    <button
      key="collapse"
      type="button"
      aria-label="Collapse sidebar"
      onClick={onToggle}
      className={iconButtonClass('sm', look === 'auto' ? 'max-xl:hidden' : '')}
    >
      <ChevronsLeft aria-hidden />
    </button>
  );
  return (
    <>
      {look !== 'open' && expand}
      {look !== 'icons' && collapse}
    </>
  );
}

/** How many there are of what a page lists, for the pages that are in the sidebar. */
function useCounts(): Readonly<Record<string, number | undefined>> {
  const connections = useQuery({ ...connectionsQuery({ limit: 1 }), select: (page) => page.total });
  const tools = useQuery({ ...toolsQuery({ limit: 1 }), select: (page) => page.total });
  return { [paths.connections]: connections.data, [paths.tools]: tools.data };
}
