import {
  Box,
  Cable,
  Database,
  House,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Rocket,
  Settings,
  ShieldCheck,
  Smartphone,
  UserRound,
  Variable,
  Wrench,
} from 'lucide-react';
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
        synonyms: 'publish release live revision roll back rollback activate logs stop',
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
    label: 'Access',
    pages: [
      {
        to: paths.security,
        label: 'Security',
        icon: ShieldCheck,
        synonyms: 'checklist doctor hardening https tls certificate safe audit',
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
        synonyms: 'config name instructions variables cors origins rate limit memory processors',
      },
      {
        to: paths.account,
        label: 'Account',
        icon: UserRound,
        synonyms: '2fa two-factor totp password name profile theme shortcuts preferences',
      },
    ],
  },
];

export const pages: readonly (NavPage & { group: string })[] = nav.flatMap((g) =>
  g.pages.map((p) => ({ ...p, group: g.label })),
);

/** A part of a page that people look for by its own name: a section, a tab. */
export interface Place {
  address: string;
  /** As on its page: "Encryption". */
  label: string;
  icon: LucideIcon;
  synonyms: string;
}

export const places: readonly Place[] = [
  {
    address: `${paths.security}?tab=sandbox`,
    label: 'Sandbox',
    icon: Box,
    synonyms: 'seccomp landlock process memory broker allowlist restarts layers',
  },
  {
    address: paths.settings.replace('$section', 'encryption'),
    label: 'Encryption',
    icon: KeyRound,
    synonyms: 'key rotate secrets seal backup',
  },
  {
    address: paths.settings.replace('$section', 'variables'),
    label: 'Variables',
    icon: Variable,
    synonyms: 'global constants vars',
  },
  {
    address: `${paths.account}#two-factor`,
    label: 'Two-factor',
    icon: Smartphone,
    synonyms: '2fa totp mfa authenticator recovery codes app',
  },
  {
    address: `${paths.account}#password`,
    label: 'Name and password',
    icon: UserRound,
    synonyms: 'change password username credentials',
  },
  {
    address: `${paths.account}#sessions`,
    label: 'Sessions',
    icon: MonitorSmartphone,
    synonyms: 'signed in devices end sign out everywhere',
  },
];

/** What an address is called: a place of its own, or its page. */
export function placeOf(address: string): { label: string } | undefined {
  return places.find((p) => p.address === address) ?? pageOf(address.split(/[?#]/)[0] ?? '');
}

/** The page an address belongs to: itself, or the list above it. */
export function pageOf(path: string): (typeof pages)[number] | undefined {
  return pages.find((p) => {
    const base = p.base ?? p.to;
    return base === '/' ? path === '/' : path === base || path.startsWith(`${base}/`);
  });
}
