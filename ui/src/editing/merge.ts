import { equal } from './equal';
import type { FieldTable, Flat } from './fields';

export type Side = 'mine' | 'theirs';

export interface MergeField {
  key: string;
  label: string;
  /** As text, for showing. */
  mine: string;
  theirs: string;
  /** Who changed it since the version both started from. "both" needs a decision. */
  changed: Side | 'both';
}

/** By the key of a field, the side it is taken from. */
export type Choices = Readonly<Record<string, Side>>;

/**
 * The fields in which two people's versions of one entity differ. What both changed in the same way is no difference;
 * what only one changed has its answer already.
 */
export function mergeFields<F>(table: FieldTable<F>, base: F, mine: F, theirs: F): MergeField[] {
  const [b, m, t] = [table.flatten(base), table.flatten(mine), table.flatten(theirs)];
  return [...new Set([...m.keys(), ...t.keys()])]
    .filter((key) => !equal(m.get(key), t.get(key)))
    .map((key) => ({
      key,
      label: table.label(key),
      mine: table.text(key, m.get(key)),
      theirs: table.text(key, t.get(key)),
      changed: changedBy(b, m, t, key),
    }));
}

function changedBy(base: Flat, mine: Flat, theirs: Flat, key: string): MergeField['changed'] {
  if (equal(base.get(key), theirs.get(key))) return 'mine';
  return equal(base.get(key), mine.get(key)) ? 'theirs' : 'both';
}

/** The choices that need nobody: each side keeps what only it changed. */
export function clearChoices(fields: readonly MergeField[]): Choices {
  const choices: Record<string, Side> = {};
  for (const f of fields) if (f.changed !== 'both') choices[f.key] = f.changed;
  return choices;
}

/** The form that the choices give. A field without a choice stays mine: nothing of mine is lost unless somebody chose so. */
export function merge<F>(table: FieldTable<F>, mine: F, theirs: F, choices: Choices): F {
  return table.combine(mine, theirs, (key) => choices[key] === 'theirs');
}
