import { states } from '@/lib/words';
import type { StateKind } from '@/ui/state';
import type { ToolChange } from './api';

export interface ToolState {
  kind: StateKind;
  word: string;
  /** Calls that work now may fail after the next deploy. */
  breaking: boolean;
}

/**
 * Where a saved tool stands, from the difference between what is saved and what runs. `changes` is undefined while
 * that is not known yet.
 */
export function toolState(
  tool: { id: string; is_enabled: boolean },
  changes: readonly ToolChange[] | undefined,
): ToolState {
  const change = changes?.find((c) => c.entity_type === 'tool' && c.entity_id === tool.id);
  const breaking = change?.breaking ?? false;
  if (!tool.is_enabled) {
    const word = change?.kind === 'removed' ? `${states.disabled}, live until the next deploy` : states.disabled;
    return { kind: 'disabled', word, breaking };
  }
  if (!changes) return { kind: 'saved', word: 'Saved', breaking };
  if (!change) return { kind: 'live', word: states.live, breaking };
  return { kind: 'saved', word: change.kind === 'added' ? 'Saved, never live' : 'Saved, not live', breaking };
}
