import { useState } from 'react';

/** Storage can be missing or full (private windows, policies); a preference then lasts for the visit only. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing depends on it: see readStored.
  }
}

/** Layout preferences only; never drafts and never secrets. */
export function useStored(key: string, initial: string): [string, (value: string) => void] {
  const [value, set] = useState(() => readStored(key) ?? initial);
  const store = (next: string) => {
    writeStored(key, next);
    set(next);
  };
  return [value, store];
}
