import { useCallback, useEffect, useRef, useState } from 'react';
import { useOnLeave } from '@/lib/use-on-leave';
import { type Draft, placeFor, readDrafts, removeDraft, type Texts, writeDraft } from './drafts';
import type { Base, FieldTable } from './fields';

/** How long typing pauses before the draft is kept. */
const pauseMs = 800;

interface Given<F> {
  /** See draftKey. */
  key: string;
  fields: FieldTable<F>;
  form: F;
  base: Base<F>;
  /** Must be stable while nothing in it changes. */
  aside?: Texts;
}

export interface Drafts<F> {
  /** A draft from an earlier visit that differs from what is stored; nothing is applied until somebody decides. */
  offer: Draft<F> | undefined;
  /** Ends the offer: the draft was restored, or nobody wants it. */
  settle: () => void;
  /** Forgets the draft of this visit: it was saved or given up, and the page may be left. What is typed later is kept again. */
  drop: () => void;
}

const nothing: Texts = {};

/** Keeps unsaved changes in the browser, and finds those of an earlier visit. */
export function useDrafts<F>({ key, fields, form, base, aside = nothing }: Given<F>): Drafts<F> {
  const [offers, setOffers] = useState<readonly Draft<F>[]>([]);
  const [place, setPlace] = useState<string>();
  const latest = useRef({ fields, form, base, aside });
  latest.current = { fields, form, base, aside };

  useEffect(() => {
    let here = true;
    const { fields: table, base: loaded } = latest.current;
    void readDrafts(key, table.parse).then((found) => {
      if (!here) return;
      const useful = found.filter((d) => !table.same(d.form, loaded.form));
      for (const d of found) if (!useful.includes(d)) void removeDraft(d.key);
      const own = placeFor(key, useful);
      setOffers(useful.filter((d) => d.key !== own));
      setPlace(own);
    });
    return () => {
      here = false;
    };
  }, [key]);

  const kept = useRef(false);
  const dropped = useRef<F>(undefined);
  const write = useCallback(() => {
    const now = latest.current;
    if (place === undefined || now.form === dropped.current) return;
    if (!now.fields.same(now.form, now.base.form)) {
      kept.current = true;
      void writeDraft({ key: place, form: now.form, base: now.base, aside: now.aside, at: Date.now() });
    } else if (kept.current) {
      kept.current = false;
      void removeDraft(place);
    }
  }, [place]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change starts the pause anew
  useEffect(() => {
    const timer = setTimeout(write, pauseMs);
    return () => clearTimeout(timer);
  }, [write, form, base, aside]);

  // Leaving within the pause keeps the last keystrokes too.
  useOnLeave(write);

  const offer = offers[0];
  return {
    offer,
    settle: () => {
      if (!offer) return;
      void removeDraft(offer.key);
      setOffers(offers.slice(1));
    },
    drop: () => {
      dropped.current = latest.current.form;
      kept.current = false;
      if (place !== undefined) void removeDraft(place);
    },
  };
}
