import { equal } from '@/editing/equal';
import type { ParamType } from './api';
import { blankParameter, type ParameterForm } from './form';

/** What the server found in a statement: one entry per placeholder name, in order of first use. */
export interface Used {
  name: string;
  suggested_type: ParamType;
  /** The statement says what happens without a value, as `:x IS NULL OR …` does. */
  optional: boolean;
  /** Offsets of the colon, in UTF-16 units. */
  positions: readonly { start: number }[];
}

/** A parameter whose placeholder left the statement. It stays, greyed, until the tool is saved. */
export interface Gone {
  parameter: ParameterForm;
  test: string;
  /** Where its colon stood, in the statement of `Reconciled.seen`. */
  offset: number;
}

export interface Reconciled {
  parameters: readonly ParameterForm[];
  tests: Readonly<Record<string, string>>;
  gone: readonly Gone[];
  /** New name → the name it had in the saved tool or when it first appeared. */
  renamed: Readonly<Record<string, string>>;
  /** Names whose type nobody chose: it follows the suggestion, and so does whether a value is required until that is chosen. */
  auto: readonly string[];
  seen: { sql: string; used: readonly Used[] } | undefined;
}

/**
 * Brings the parameters in line with the statement. Settings follow a placeholder through a rename; one that comes
 * back gets its settings back. When the names are the same nothing is replaced, so that a page that was only
 * opened stays as it was loaded.
 */
export function reconcile(before: Reconciled, sql: string, used: readonly Used[]): Reconciled {
  const moved = before.gone.map((g) => ({ ...g, offset: mapOffset(before.seen?.sql ?? sql, sql, g.offset) }));
  const known = new Map(before.parameters.map((p) => [p.name, p]));
  const wanted = new Map(used.map((u) => [u.name, u]));
  const vanished = before.parameters.filter((p) => !wanted.has(p.name));
  const seen = { sql, used };
  if (vanished.length === 0 && used.every((u) => known.has(u.name))) {
    return { ...before, parameters: follow(before.parameters, before, wanted), gone: moved, seen };
  }

  const source = pair(before, sql, used, vanished, moved);
  const tests: Record<string, string> = {};
  const renamed: Record<string, string> = {};
  const auto: string[] = [];
  const parameters = used.map((u) => {
    const name = known.has(u.name) ? u.name : source.get(u.name);
    const back = moved.find((g) => g.parameter.name === name);
    const old = name === undefined ? undefined : (known.get(name) ?? back?.parameter);
    if (!old) {
      auto.push(u.name);
      return suggested(u);
    }
    const test = before.tests[old.name] ?? back?.test;
    if (test !== undefined) tests[u.name] = test;
    const origin = before.renamed[old.name] ?? old.name;
    if (origin !== u.name) renamed[u.name] = origin;
    if (before.auto.includes(old.name)) auto.push(u.name);
    return { ...old, name: u.name };
  });
  const taken = new Set(source.values());
  const left = vanished
    .filter((p) => !taken.has(p.name) && worthKeeping(p, before))
    .map((p): Gone => {
      const at = before.seen?.used.find((u) => u.name === p.name)?.positions[0]?.start;
      const offset = at === undefined ? sql.length : mapOffset(before.seen?.sql ?? sql, sql, at);
      return { parameter: p, test: before.tests[p.name] ?? '', offset };
    });
  const kept = moved.filter((g) => !taken.has(g.parameter.name) && !wanted.has(g.parameter.name));
  return {
    parameters: follow(parameters, { ...before, auto }, wanted),
    tests,
    gone: [...kept, ...left],
    renamed,
    auto,
    seen,
  };
}

/** Whether anything would be lost: a name that was only typed and never given a setting comes back by typing it. */
function worthKeeping(p: ParameterForm, before: Reconciled): boolean {
  const typed = { ...blankParameter(p.name, p.param_type), is_required: wasRequired(before, p.name) };
  return !before.auto.includes(p.name) || Boolean(before.tests[p.name]) || !equal(p, typed);
}

const suggested = (u: Used): ParameterForm => ({
  ...blankParameter(u.name, u.suggested_type),
  is_required: !u.optional,
});

/** What the statement before suggested. */
const wasRequired = (before: Reconciled, name: string): boolean =>
  !before.seen?.used.find((u) => u.name === name)?.optional;

/** What nobody chose follows what the statement suggests; the type "string" only says that it suggests nothing. */
function follow(
  parameters: readonly ParameterForm[],
  before: Reconciled,
  used: ReadonlyMap<string, Used>,
): readonly ParameterForm[] {
  const next = parameters.map((p) => {
    const now = used.get(p.name);
    if (!now || !before.auto.includes(p.name)) return p;
    const param_type = now.suggested_type === 'string' ? p.param_type : now.suggested_type;
    const is_required = p.is_required === wasRequired(before, p.name) ? !now.optional : p.is_required;
    return param_type === p.param_type && is_required === p.is_required ? p : { ...p, param_type, is_required };
  });
  return next.every((p, n) => p === parameters[n]) ? parameters : next;
}

/** New name → the vanished or gone name whose settings it takes over. The surest signs are tried first. */
function pair(
  before: Reconciled,
  sql: string,
  used: readonly Used[],
  vanished: readonly ParameterForm[],
  gone: readonly Gone[],
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  const open = new Set(vanished.map((p) => p.name));
  const last = before.seen ?? { sql, used: [] };
  const then = order(last.used);
  const now = order(used);
  const names = new Set(before.parameters.map((p) => p.name));
  const match = (find: (u: Used) => string | undefined) => {
    for (const u of used) {
      if (names.has(u.name) || pairs.has(u.name)) continue;
      const from = find(u);
      if (from === undefined) continue;
      pairs.set(u.name, from);
      open.delete(from);
    }
  };
  const startsOf = (name: string) => last.used.find((u) => u.name === name)?.positions.map((p) => p.start) ?? [];
  const free = gone.filter((g) => ![...pairs.values()].includes(g.parameter.name));

  // It came back under its own name.
  match((u) => gone.find((g) => g.parameter.name === u.name)?.parameter.name);
  // At the same place of the text: somebody types another name.
  match((u) => {
    const starts = new Set(u.positions.map((p) => p.start));
    return [...open].find((name) => startsOf(name).some((start) => starts.has(mapOffset(last.sql, sql, start))));
  });
  // The same turns among all uses, and something else stayed: an edited copy of the statement was pasted.
  if (then.length === now.length && then.some((name, n) => name === now[n])) {
    match((u) => [...open].find((name) => then.every((other, n) => (other === name) === (now[n] === u.name))));
  }
  match((u) => [...open].find((name) => similar(name, u.name)));
  // Emptied, then typed anew at the same place.
  match((u) => free.find((g) => u.positions.some((p) => p.start === g.offset))?.parameter.name);
  return pairs;
}

/** The names in order of their uses. */
function order(used: readonly Used[]): string[] {
  return used
    .flatMap((u) => u.positions.map((p) => ({ name: u.name, start: p.start })))
    .sort((a, b) => a.start - b.start)
    .map((use) => use.name);
}

/** Where an offset of `before` is in `after`, taking the difference as one replaced stretch. */
export function mapOffset(before: string, after: string, offset: number): number {
  if (before === after) return offset;
  const shortest = Math.min(before.length, after.length);
  let head = 0;
  while (head < shortest && before[head] === after[head]) head++;
  if (offset <= head) return offset;
  let tail = 0;
  while (tail < shortest - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  if (offset >= before.length - tail) return offset + after.length - before.length;
  return head;
}

/** Whether at most two in five letters differ (Levenshtein distance). */
export function similar(a: string, b: string): boolean {
  return distance(a.toLowerCase(), b.toLowerCase()) <= 0.4 * Math.max(a.length, b.length);
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
