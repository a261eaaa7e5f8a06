import { useSyncExternalStore } from 'react';

/** How many panes fit: all three from 1280 px, two from 768 px, else one. */
export type Layout = 'three' | 'two' | 'one';

const wide = '(min-width: 80rem)';
const middle = '(min-width: 48rem)';

function subscribe(notify: () => void): () => void {
  const queries = [matchMedia(wide), matchMedia(middle)];
  for (const query of queries) query.addEventListener('change', notify);
  return () => {
    for (const query of queries) query.removeEventListener('change', notify);
  };
}

function read(): Layout {
  if (matchMedia(wide).matches) return 'three';
  return matchMedia(middle).matches ? 'two' : 'one';
}

export function useLayout(): Layout {
  return useSyncExternalStore(subscribe, read);
}
