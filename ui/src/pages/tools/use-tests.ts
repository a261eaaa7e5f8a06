import { useEffect, useRef } from 'react';
import { readTexts, type Texts, writeTexts } from '@/editing/drafts';
import { useDebounced } from '@/lib/use-debounced';

/** Where the test values of a saved tool are kept: they are no part of it. */
export const testsKey = (id: string): string => `tests ${id}`;

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

  const settled = useDebounced(tests, 800);
  const first = useRef(settled);
  useEffect(() => {
    if (id && settled !== first.current) void writeTexts(testsKey(id), settled);
  }, [id, settled]);
}
