import { useEffect, useRef } from 'react';
import { readTexts, type Texts, writeTexts } from '@/editing/drafts';
import { useOnLeave } from '@/lib/use-on-leave';

/** Where the test values of a saved tool are kept: they are no part of it. */
export const testsKey = (id: string): string => `tests ${id}`;

/** How long typing pauses before the values are kept. */
const pauseMs = 800;

/** Remembers the test values of a saved tool between visits. */
export function useTests(id: string | undefined, tests: Texts, onRead: (tests: Texts) => void): void {
  const read = useRef(onRead);
  read.current = onRead;
  useEffect(() => {
    if (!id) return;
    let here = true;
    void readTexts(testsKey(id)).then((found) => {
      if (here && Object.keys(found).length > 0) read.current(found);
    });
    return () => {
      here = false;
    };
  }, [id]);

  const kept = useRef(tests);
  const keep = () => {
    if (!id || tests === kept.current) return;
    kept.current = tests;
    void writeTexts(testsKey(id), tests);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change starts the pause anew
  useEffect(() => {
    const timer = setTimeout(keep, pauseMs);
    return () => clearTimeout(timer);
  }, [id, tests]);
  useOnLeave(keep);
}
