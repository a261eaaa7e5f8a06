import { useState } from 'react';
import type { Base, FieldTable } from './fields';
import { type Drafts, useDrafts } from './use-drafts';
import { useNewer } from './use-newer';

interface Given<E, F> {
  /** See draftKey. */
  key: string;
  fields: FieldTable<F>;
  /** What is stored now; it changes while the page is open. Undefined for an entity that does not exist yet. */
  stored: E | undefined;
  formOf: (stored: E) => F;
  /** The form of an entity that does not exist yet. */
  blank: F;
  /** Something was typed that is not in the form, because no draft may keep it: a secret. */
  unkept?: boolean;
  /** A save is under way. */
  saving: boolean;
}

export interface Editing<E, F> {
  fields: FieldTable<F>;
  formOf: (stored: E) => F;
  /** The version that a save changes. */
  saved: E | undefined;
  /** What the form is compared with: `saved`, or the older version a restored draft was begun from. */
  base: Base<F>;
  form: F;
  dirty: boolean;
  /** Somebody else's newer version, while there are changes here; nothing is saved until it was reviewed. */
  theirs: E | undefined;
  drafts: Drafts<F>;
  change: (next: F | ((old: F) => F)) => void;
  /** Goes on from a stored version with this form; without one, with what is stored. */
  goOn: (stored: E, form?: F) => void;
  /** Takes the draft that is offered. */
  restore: () => void;
}

/**
 * The state of one form: what was loaded, what was typed, what somebody else saved meanwhile, and the draft of an
 * earlier visit. It follows the server as long as nothing was typed.
 */
export function useEditing<E extends { version: number }, F>(given: Given<E, F>): Editing<E, F> {
  const { key, fields, stored, formOf, blank, unkept = false, saving } = given;
  const [saved, setSaved] = useState(stored);
  const [base, setBase] = useState<Base<F>>(() =>
    stored ? { version: stored.version, form: formOf(stored) } : { version: 0, form: blank },
  );
  const [form, setForm] = useState<F>(base.form);
  const dirty = unkept || !fields.same(base.form, form);
  const goOn = (from: E, next = formOf(from)) => {
    setSaved(from);
    setBase({ version: from.version, form: formOf(from) });
    setForm(next);
  };
  const theirs = useNewer({ stored, fields, formOf, form, base, dirty, saving, adopt: goOn });
  const drafts = useDrafts({ key, fields, form, base });
  return {
    fields,
    formOf,
    saved,
    base,
    form,
    dirty,
    theirs,
    drafts,
    change: setForm,
    goOn,
    restore: () => {
      if (!drafts.offer) return;
      setForm(drafts.offer.form);
      // A draft of an older version keeps that as its base: what changed since shows as a conflict.
      if (drafts.offer.base.version < base.version) setBase(drafts.offer.base);
      drafts.settle();
    },
  };
}
