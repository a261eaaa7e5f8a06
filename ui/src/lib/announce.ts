import { createStore } from './store';

/** One polite and one assertive live region, both owned by the shell; everything that speaks goes through here. */
export interface Announcement {
  text: string;
  /** Grows with each announcement, so that the same words twice are read twice. */
  turn: number;
}

export const polite = createStore<Announcement>({ text: '', turn: 0 });
export const assertive = createStore<Announcement>({ text: '', turn: 0 });

/** Has a screen reader say `text`: politely after what it is saying, or at once for what blocks the person. */
export function announce(text: string, urgency: 'polite' | 'assertive' = 'polite'): void {
  const region = urgency === 'polite' ? polite : assertive;
  region.set({ text, turn: region.get().turn + 1 });
}
