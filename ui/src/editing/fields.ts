import { equal } from './equal';

/** An entity as one flat list of fields, in the order of its form, that can be compared, shown and merged one by one. */
export type Flat = ReadonlyMap<string, unknown>;

/**
 * What editing needs to know of one kind of entity. `F` is its form as it is typed, without any secret: drafts hold it.
 */
export interface FieldTable<F> {
  /** A part that only some forms have, a parameter for example, is a field of its own. */
  flatten: (form: F) => Flat;
  /** The words for a field. */
  label: (key: string) => string;
  /** The value of a field as lines of text; '' for nothing. */
  text: (key: string, value: unknown) => string;
  /** `mine`, with the fields that `isTheirs` names taken from `theirs`. */
  combine: (mine: F, theirs: F, isTheirs: (key: string) => boolean) => F;
  /** Whether both would save the same. Only that makes a page dirty, not that a field was touched. */
  same: (a: F, b: F) => boolean;
  /** Reads what a draft kept; undefined when an older page kept another shape. */
  parse: (kept: unknown) => F | undefined;
}

/** The table of a form whose members are its fields, in the order of `labels`; `own` replaces what is special about it. */
export function plainFields<F extends object>(
  blank: F,
  labels: Readonly<Record<keyof F & string, string>>,
  own: Partial<FieldTable<F>> = {},
): FieldTable<F> {
  const names = new Map<string, string>(Object.entries(labels));
  const flatten = (form: F): Flat => {
    const members = new Map<string, unknown>(Object.entries(form));
    return new Map([...names.keys()].map((name) => [name, members.get(name)]));
  };
  return {
    flatten,
    label: (key) => names.get(key) ?? key,
    text: plainText,
    combine: (mine, theirs, isTheirs) => {
      const taken = Object.entries(theirs).filter(([key]) => isTheirs(key));
      return { ...mine, ...Object.fromEntries(taken) };
    },
    same: (a, b) => equal(flatten(a), flatten(b)),
    parse: (kept) => (sameShape(kept, blank) ? kept : undefined),
    ...own,
  };
}

/** A value as one reads it where its field says nothing else. */
export function plainText(_: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** What a form was loaded from; an entity that does not exist yet has version 0. */
export interface Base<F> {
  version: number;
  form: F;
}

export interface FieldChange {
  key: string;
  label: string;
  /** As text, for showing; '' where that side does not have the field. */
  before: string;
  after: string;
}

/** What differs, in the order of the form. */
export function changesBetween<F>(table: FieldTable<F>, before: F, after: F): FieldChange[] {
  const [b, a] = [table.flatten(before), table.flatten(after)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((key) => !equal(b.get(key), a.get(key)))
    .map((key) => ({
      key,
      label: table.label(key),
      before: table.text(key, b.get(key)),
      after: table.text(key, a.get(key)),
    }));
}

/** Whether `kept` has every member of `blank` in the same type: enough to show a form that was kept as JSON. */
export function sameShape<T extends object>(kept: unknown, blank: T): kept is T {
  if (typeof kept !== 'object' || kept === null) return false;
  const given = new Map<string, unknown>(Object.entries(kept));
  return Object.entries(blank).every(([key, usual]) => {
    if (usual === undefined) return true;
    const value = given.get(key);
    return typeof value === typeof usual && Array.isArray(value) === Array.isArray(usual) && value !== null;
  });
}
