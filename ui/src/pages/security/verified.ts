import type { components } from '@/api/schema';
import { formatBytes, formatCount, plural } from '@/lib/format';
import type { Fact } from './facts';

type Verified = components['schemas']['Verified'];

/** Why the values below can be believed. */
export const kernelLead =
  'Read from the kernel by the studio, not told by the process: of all its threads the weakest value.';

/** What the kernel says of every thread of a process, as names and values. */
export function verifiedFacts(verified: Verified): Fact[] {
  const sets = [verified.cap_eff, verified.cap_prm, verified.cap_inh, verified.cap_amb];
  return [
    ['Threads', verified.threads],
    ['System-call filter', filterText(verified)],
    ['No new privileges', verified.no_new_privs ? 'set' : 'not set'],
    ['User and group', `${verified.uid}, ${verified.gid}`],
    ['Capabilities', sets.every(none) ? 'none' : `effective ${short(verified.cap_eff)}`],
    [
      'Bounding set',
      none(verified.cap_bnd) ? 'empty' : short(verified.cap_bnd),
      'cannot be used without new privileges',
    ],
    ...limits.flatMap(([name, title, words]): Fact[] => {
      const limit = verified.rlimits[name];
      return limit === undefined ? [] : [[title, words(limit)]];
    }),
  ];
}

function filterText({ seccomp, seccomp_filters }: Verified): string {
  if (seccomp === 0) return 'none';
  return seccomp === 2 ? `on, ${plural(seccomp_filters, 'filter')}` : `mode ${seccomp}`;
}

/** Capability sets as the kernel prints them: nothing but zeroes is none. */
const none = (hex: string): boolean => /^0*$/.test(hex);
const short = (hex: string): string => `0x${hex.replace(/^0+/, '')}`;

const limits: readonly (readonly [name: string, title: string, words: (limit: number) => string])[] = [
  ['data', 'Data memory', formatBytes],
  ['nofile', 'Open files', formatCount],
  ['nproc', 'Processes', formatCount],
  ['fsize', 'Written files', (limit) => (limit === 0 ? 'none' : formatBytes(limit))],
  ['core', 'Core file', (limit) => (limit === 0 ? 'none' : formatBytes(limit))],
];
