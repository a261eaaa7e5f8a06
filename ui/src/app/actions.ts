import type { LucideIcon } from 'lucide-react';
import { useEffect, useId } from 'react';
import { createStore } from '@/lib/store';

/** Something one can do now: run by its keys, listed in the palette and on the shortcut sheet. */
export interface Action {
  id: string;
  /** Verb and noun: "Save tool". */
  label: string;
  icon?: LucideIcon;
  /** In the notation of lib/keys. */
  keys?: string;
  synonyms?: string;
  run: () => void;
  /** Only for its keys: not worth a line in the palette. */
  hidden?: boolean;
}

export type ActionScope = 'page' | 'everywhere';

interface Registration {
  scope: ActionScope;
  actions: readonly Action[];
}

const registered = new Map<string, Registration>();
/** All actions of the moment. Replaced, never changed in place. */
export const currentActions = createStore<readonly Registration[]>([]);

/** Offers actions while the component is mounted. What a page offers comes first in the palette. */
export function useActions(scope: ActionScope, actions: readonly Action[]): void {
  const id = useId();
  useEffect(() => {
    registered.set(id, { scope, actions });
    currentActions.set([...registered.values()]);
  }, [id, scope, actions]);
  useEffect(
    () => () => {
      registered.delete(id);
      currentActions.set([...registered.values()]);
    },
    [id],
  );
}

export function actionsOf(scope: ActionScope, all: readonly Registration[]): Action[] {
  return all.filter((r) => r.scope === scope).flatMap((r) => r.actions);
}

/** The action a press or a sequence of presses stands for. A page's own action wins. */
export function findAction(keys: string, all: readonly Registration[]): Action | undefined {
  return [...actionsOf('page', all), ...actionsOf('everywhere', all)].find((a) => a.keys === keys);
}

/** Whether some action's keys begin with this press and need another. */
export function startsSequence(press: string, all: readonly Registration[]): boolean {
  return all.some((r) => r.actions.some((a) => a.keys?.startsWith(`${press} `)));
}
