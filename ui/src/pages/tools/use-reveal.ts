import { useEffect, useRef } from 'react';
import { type PaneKey, paneOf } from './builder-panes';
import { type FieldMessages, inFormOrder } from './errors';
import { focusField } from './save-errors';

/**
 * Leads to a field: its pane comes to the front and its control takes the focus. Does so by itself for the first
 * field of each save that failed.
 */
export function useReveal(fields: FieldMessages, failures: number, onPane: (pane: PaneKey) => void) {
  const reveal = (field: string) => {
    onPane(paneOf(field));
    // The pane may have to be rendered first.
    requestAnimationFrame(() => focusField(field));
  };
  const first = useRef(() => {});
  first.current = () => {
    const field = inFormOrder(fields)[0]?.[0];
    if (field !== undefined) reveal(field);
  };
  useEffect(() => {
    if (failures > 0) first.current();
  }, [failures]);
  return reveal;
}
