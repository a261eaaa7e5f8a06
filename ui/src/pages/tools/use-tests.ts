import { useEffect, useRef } from 'react';
import { readTests, writeTests } from './drafts';
import { useDebounced } from './use-debounced';

type Tests = Readonly<Record<string, string>>;

/** Remembers the test values of a saved tool between visits. */
export function useTests(id: string | undefined, tests: Tests, onRead: (tests: Tests) => void): void {
  const read = useRef(onRead);
  read.current = onRead;
  useEffect(() => {
    if (!id) return;
    let here = true;
    void readTests(id).then((found) => {
      if (here && Object.keys(found).length > 0) read.current(found);
    });
    return () => {
      here = false;
    };
  }, [id]);

  const settled = useDebounced(tests, 800);
  const first = useRef(settled);
  useEffect(() => {
    if (id && settled !== first.current) void writeTests(id, settled);
  }, [id, settled]);
}
