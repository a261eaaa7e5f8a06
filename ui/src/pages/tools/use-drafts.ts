import { useCallback, useEffect, useRef, useState } from 'react';
import { type BuilderState, isDirty } from './builder-state';
import { draftKey, readDrafts, removeDraft, type StoredDraft, secondKey, writeDraft } from './drafts';
import { sameTool } from './form';

const pause = 800;

export interface Drafts {
  /** A draft from an earlier visit that differs from what is stored; nothing is applied until somebody decides. */
  offer: StoredDraft | undefined;
  /** Ends the offer: the draft was restored, or nobody wants it. */
  settle: () => void;
  /** Forgets the draft of this visit for good: the page is about to be left with nothing to keep. */
  close: () => void;
}

/** Keeps unsaved changes in the browser, and finds those of an earlier visit. */
export function useDrafts(id: string | undefined, state: BuilderState): Drafts {
  const key = draftKey(id);
  const [offers, setOffers] = useState<readonly StoredDraft[]>([]);
  const [ready, setReady] = useState(false);
  const loaded = useRef(state.base.form);
  const closed = useRef(false);
  const latest = useRef(state);
  latest.current = state;

  useEffect(() => {
    let here = true;
    void readDrafts(key).then((found) => {
      if (!here) return;
      const useful = found.filter((d) => !sameTool(d.form, loaded.current));
      for (const d of found) if (!useful.includes(d)) void removeDraft(d.key);
      setOffers(useful);
      setReady(true);
    });
    return () => {
      here = false;
    };
  }, [key]);

  const offer = offers[0];
  const own = offer?.key === key ? secondKey(key) : key;
  const kept = useRef(false);
  const write = useCallback(() => {
    const now = latest.current;
    if (closed.current) return;
    if (isDirty(now)) {
      kept.current = true;
      void writeDraft({ key: own, form: now.form, tests: now.tests, base: now.base, at: Date.now() });
    } else if (kept.current) {
      kept.current = false;
      void removeDraft(own);
    }
  }, [own]);

  const { form, base, tests } = state;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change starts the pause anew
  useEffect(() => {
    if (!ready) return;
    const timer = setTimeout(write, pause);
    return () => clearTimeout(timer);
  }, [ready, write, form, base, tests]);

  useEffect(() => {
    if (!ready) return;
    const onHide = () => {
      if (document.visibilityState === 'hidden') write();
    };
    document.addEventListener('visibilitychange', onHide);
    return () => {
      document.removeEventListener('visibilitychange', onHide);
      write();
    };
  }, [ready, write]);

  return {
    offer,
    settle: () => {
      if (!offer) return;
      void removeDraft(offer.key);
      setOffers(offers.slice(1));
    },
    close: () => {
      closed.current = true;
      void removeDraft(own);
    },
  };
}
