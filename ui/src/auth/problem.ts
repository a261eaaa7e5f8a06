import { describe } from '@/api/errors';

/** An error in one or two sentences. */
export function problemText(error: unknown): string {
  const { cause, next } = describe(error);
  return next ? `${cause} ${next}` : cause;
}
