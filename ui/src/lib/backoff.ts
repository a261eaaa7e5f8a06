/**
 * The wait before attempt `n` (from 0), in milliseconds: doubling from `first` up to `most`, spread by a fifth
 * so that many open tabs do not return at the same moment. `random` is in [0, 1).
 */
export function backoff(n: number, first = 500, most = 15_000, random = Math.random()): number {
  const wait = Math.min(most, first * 2 ** Math.min(n, 16));
  return Math.round(wait * (0.9 + random * 0.2));
}
