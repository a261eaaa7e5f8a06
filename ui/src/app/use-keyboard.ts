import { useEffect } from 'react';
import { isApple, isPlain, pressOf } from '@/lib/keys';
import { createStore } from '@/lib/store';
import { readStored, writeStored } from '@/lib/use-stored';
import { currentActions, findAction, startsSequence } from './actions';

const stored = 'single-key-shortcuts';

/** Single-key shortcuts can be switched off: speech input types words that would run them (WCAG 2.1.4). */
export const singleKeys = createStore(readStored(stored) !== 'off');

export function setSingleKeys(on: boolean): void {
  writeStored(stored, on ? 'on' : 'off');
  singleKeys.set(on);
}

/** How long the second key of a sequence may take. */
const sequenceMs = 1_200;

/** Runs actions by their keys. One listener for the whole application. */
export function useKeyboard(): void {
  useEffect(() => {
    const apple = isApple(navigator.platform);
    let first = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.repeat) return;
      if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return;
      const press = pressOf(event, apple);
      if (layerIsOpen() || (isPlain(press) && (!singleKeys.get() || isTyping(event)))) return;

      const all = currentActions.get();
      const action = findAction(first ? `${first} ${press}` : press, all) ?? findAction(press, all);
      clearTimeout(timer);
      const waits = !first && startsSequence(press, all);
      first = waits ? press : '';
      if (waits) {
        timer = setTimeout(() => {
          first = '';
        }, sequenceMs);
        return;
      }
      if (!action) return;
      event.preventDefault();
      action.run();
    };
    addEventListener('keydown', onKeyDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
      clearTimeout(timer);
    };
  }, []);
}

const layers = ['dialog', 'alertdialog', 'menu', 'listbox'].map((role) => `[role="${role}"]:not([data-closed])`).join();

/** Keys belong to an open dialog, menu or list and not to the page behind it. A list that was open stays, marked closed. */
function layerIsOpen(): boolean {
  return document.querySelector(layers) !== null;
}

/** Looks through shadow roots: the code editors live in them. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}
