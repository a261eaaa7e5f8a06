import type { LucideIcon } from 'lucide-react';

export interface Command {
  id: string;
  label: string;
  hint?: string;
  synonyms?: string;
  keys?: string;
  icon?: LucideIcon;
  group: 'This page' | 'Actions' | 'Pages' | 'Tools' | 'Connections';
  run: () => void;
}

export interface CommandGroup {
  value: string;
  items: Command[];
}

const order: readonly Command['group'][] = ['This page', 'Actions', 'Pages', 'Tools', 'Connections'];
/** Without a query entities would bury the rest. */
const shownUnasked: readonly Command['group'][] = ['This page', 'Actions', 'Pages'];
const mostRecent = 5;
const mostPerGroup = 12;

/** How well a command fits: 0 not at all; the name beats its words, those beat synonyms. */
export function score(command: Command, query: string): number {
  const label = command.label.toLowerCase();
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 1;
  const rest = `${command.hint ?? ''} ${command.synonyms ?? ''}`.toLowerCase();
  let total = 0;
  for (const word of words) {
    if (label.startsWith(word)) total += 8;
    else if (new RegExp(`(^|[^\\p{L}\\p{N}])${literal(word)}`, 'u').test(label)) total += 6;
    else if (label.includes(word)) total += 4;
    else if (rest.includes(word)) total += 2;
    else return 0;
    // "connect" is Connect before it is the beginning of Connections.
    if (new RegExp(`(^|[^\\p{L}\\p{N}])${literal(word)}($|[^\\p{L}\\p{N}])`, 'u').test(label)) total += 1;
  }
  return total;
}

const literal = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The commands that fit, best first within their groups; groups keep their order. */
export function rank(commands: readonly Command[], query: string, recent: readonly string[]): CommandGroup[] {
  const asked = query.trim() !== '';
  const groups: CommandGroup[] = [];
  for (const group of order) {
    if (!asked && !shownUnasked.includes(group)) continue;
    const items = commands
      .filter((c) => c.group === group)
      .map((c) => ({ command: c, fit: score(c, query) }))
      .filter(({ fit }) => fit > 0)
      .sort((a, b) => b.fit - a.fit)
      .slice(0, mostPerGroup)
      .map(({ command }) => command);
    if (items.length > 0) groups.push({ value: group, items });
  }
  if (asked) return groups.sort((a, b) => best(b, query) - best(a, query));
  const used = recent.flatMap((id) => commands.find((c) => c.id === id) ?? []);
  if (used.length === 0) return groups;
  const rest = groups
    .map((g) => ({ ...g, items: g.items.filter((c) => g.value === 'This page' || !used.includes(c)) }))
    .filter((g) => g.items.length > 0);
  const at = rest[0]?.value === 'This page' ? 1 : 0;
  return [...rest.slice(0, at), { value: 'Recent', items: used }, ...rest.slice(at)];
}

function best(group: CommandGroup, query: string): number {
  return Math.max(...group.items.map((c) => score(c, query)));
}

/** The recent list after using `id`. */
export function recall(recent: readonly string[], id: string): string[] {
  return [id, ...recent.filter((r) => r !== id && r !== '')].slice(0, mostRecent);
}
