import { announce } from '@/lib/announce';
import { createStore } from '@/lib/store';

export interface Toast {
  id: number;
  tone: 'ok' | 'info' | 'warn';
  text: string;
  /** Undo, or a link to what was made. */
  action?: { label: string; run: () => void };
  /** Milliseconds on screen; the clock stops while the pointer or the focus is on a toast. */
  lasts: number;
}

const most = 3;
const normal = 6_000;
const withUndo = 10_000;

export const toasts = createStore<readonly Toast[]>([]);
let last = 0;

/**
 * Says the result of something the person just did. Never the only place of an error: errors stay where the
 * action was. With more than three the oldest goes.
 */
export function toast(text: string, options: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  const { tone = 'ok', action } = options;
  last += 1;
  const next: Toast = { id: last, tone, text, action, lasts: action ? withUndo : normal };
  toasts.set([...toasts.get(), next].slice(-most));
  announce(action ? `${text} ${action.label} is available.` : text);
}

export function dismissToast(id: number): void {
  toasts.set(toasts.get().filter((t) => t.id !== id));
}
