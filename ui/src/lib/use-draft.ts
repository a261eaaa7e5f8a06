import { useEffect, useRef, useState } from 'react';
import { type Draft, dropDraft, readDraft, writeDraft } from './drafts';

/** How long typing pauses before the draft is kept. */
const pauseMs = 800;

interface Options<T> {
  key: string;
  value: T;
  /** The version of the entity that `value` started from. */
  version: number;
  /** Whether `value` differs from what is saved. Only then is there anything to keep. */
  dirty: boolean;
  /** Must be stable. See readDraft. */
  parse: (value: unknown) => T | undefined;
}

interface Found<T> {
  /** What an earlier visit left; undefined when nothing, or once it was dealt with. Never applied by itself. */
  found: Draft<T> | undefined;
  /** The person took it over; it is kept on as the draft of this visit. */
  taken: () => void;
  /** Nobody wants it any more, or its content was saved. What is typed afterwards is kept again. */
  drop: () => void;
}

/**
 * Keeps what is typed as a draft while it is dirty, and finds the draft of an earlier visit. While a found draft
 * waits for a decision it is only replaced by something newly typed.
 */
export function useDraft<T>({ key, value, version, dirty, parse }: Options<T>): Found<T> {
  const [found, setFound] = useState<Draft<T>>();
  const latest = useRef({ value, version, dirty });
  latest.current = { value, version, dirty };
  const kept = useRef(false);
  const dropped = useRef(false);

  useEffect(() => {
    let current = true;
    kept.current = false;
    setFound(undefined);
    void readDraft(key, parse).then((draft) => {
      if (current && !latest.current.dirty) setFound(draft);
    });
    return () => {
      current = false;
    };
  }, [key, parse]);

  // Written again on each change of the value: the effect's timer starts over.
  useEffect(() => {
    if (!dirty) {
      if (kept.current) void dropDraft(key);
      kept.current = false;
      return;
    }
    const keep = () => {
      kept.current = true;
      dropped.current = false;
      void writeDraft(key, value, version);
    };
    const timer = setTimeout(keep, pauseMs);
    const onHide = () => {
      if (document.visibilityState === 'hidden') keep();
    };
    document.addEventListener('visibilitychange', onHide);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onHide);
    };
  }, [key, value, version, dirty]);

  // Leaving within the pause keeps the last keystrokes too.
  useEffect(
    () => () => {
      const last = latest.current;
      if (last.dirty && !dropped.current) void writeDraft(key, last.value, last.version);
    },
    [key],
  );

  const drop = () => {
    dropped.current = true;
    kept.current = false;
    setFound(undefined);
    void dropDraft(key);
  };
  return { found, taken: () => setFound(undefined), drop };
}
