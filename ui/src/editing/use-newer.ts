import { useEffect, useRef } from 'react';
import { announce } from '@/lib/announce';
import type { Base, FieldTable } from './fields';

interface Given<E, F> {
  /** What is stored now; it changes while the page is open. Undefined before the first save. */
  stored: E | undefined;
  fields: FieldTable<F>;
  formOf: (stored: E) => F;
  form: F;
  base: Base<F>;
  /** Whether anything typed would be lost. */
  dirty: boolean;
  /** A save is under way: its answer reaches the cache a moment before the form knows of it. */
  saving: boolean;
  /** Takes a newer version as the base; `form` is what is shown from then on. */
  adopt: (stored: E, form: F) => void;
}

/**
 * Follows what is stored while the page is open. A newer version is taken over at once when nothing would be lost, and
 * also when it changed nothing that this form shows; otherwise it is given back, to be reviewed.
 */
export function useNewer<E extends { version: number }, F>(given: Given<E, F>): E | undefined {
  const { stored, fields, formOf, form, base, dirty, saving } = given;
  const latest = useRef(given);
  latest.current = given;
  const newer = stored && stored.version > base.version && !saving ? stored : undefined;
  const theirs = newer && formOf(newer);
  const unchanged = theirs !== undefined && fields.same(base.form, theirs);
  const lossless = theirs !== undefined && (!dirty || fields.same(form, theirs));
  useEffect(() => {
    const now = latest.current;
    if (!newer || !(lossless || unchanged)) return;
    now.adopt(newer, lossless ? now.formOf(newer) : now.form);
    if (!unchanged) announce(`This was changed elsewhere. Version ${newer.version} is shown.`);
  }, [newer, lossless, unchanged]);
  return lossless || unchanged ? undefined : newer;
}
