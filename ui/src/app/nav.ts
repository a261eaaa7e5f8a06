import { Cable, Database, House, type LucideIcon, Rocket, Settings, Wrench } from 'lucide-react';
import { paths } from '@/lib/paths';

export interface NavPage {
  to: string;
  /** Addresses below this one belong to the page; `to` unless the page has sections. */
  base?: string;
  label: string;
  icon: LucideIcon;
  /** Keys that lead there, one after the other. */
  keys?: string;
  /** Other words somebody may look for. */
  synonyms: string;
}

export interface NavGroup {
  label: string;
  pages: readonly NavPage[];
}

/**
 * The pages there are, in the order of the work. The sidebar, the palette, the breadcrumb and the shortcuts read
 * it, so a page that is not in here is not offered anywhere.
 */
export const nav: readonly NavGroup[] = [
  {
    label: '',
    pages: [
      { to: paths.home, label: 'Home', icon: House, keys: 'g d', synonyms: 'welcome dashboard start checklist sample' },
    ],
  },
  {
    label: 'Build',
    pages: [
      {
        to: paths.connections,
        label: 'Connections',
        icon: Database,
        keys: 'g c',
        synonyms: 'database postgres mysql sqlite schema host',
      },
      { to: paths.tools, label: 'Tools', icon: Wrench, keys: 'g t', synonyms: 'sql query function parameters' },
    ],
  },
  {
    label: 'Run',
    pages: [
      {
        to: paths.deploy,
        label: 'Deploy',
        icon: Rocket,
        keys: 'g y',
        synonyms: 'publish release live revision logs stop',
      },
      {
        to: paths.connect,
        label: 'Connect',
        icon: Cable,
        synonyms: 'token bearer secret client claude cursor vscode snippet access',
      },
    ],
  },
  {
    label: 'System',
    pages: [
      {
        to: paths.settings.replace('$section', 'general'),
        base: '/settings',
        label: 'Settings',
        icon: Settings,
        synonyms: 'config name instructions variables cors origins rate limit',
      },
    ],
  },
];

export const pages: readonly (NavPage & { group: string })[] = nav.flatMap((g) =>
  g.pages.map((p) => ({ ...p, group: g.label })),
);

/** The page an address belongs to: itself, or the list above it. */
export function pageOf(path: string): (typeof pages)[number] | undefined {
  return pages.find((p) => {
    const base = p.base ?? p.to;
    return base === '/' ? path === '/' : path === base || path.startsWith(`${base}/`);
  });
}
