import { useEffect } from 'react';

/** Other code that moves the focus, a dialog that closes or a new page, goes first. */
const settleMs = 120;
const focusable = 'a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex="0"]';

/** Where an element stands: every element around it, the nearest first, with its place among that one's children. */
type Way = readonly { parent: Element; index: number }[];

function wayTo(element: Element): Way {
  const way: { parent: Element; index: number }[] = [];
  for (let at = element; at.parentElement; at = at.parentElement) {
    way.push({ parent: at.parentElement, index: [...at.parentElement.children].indexOf(at) });
  }
  return way;
}

/** The next thing to press near where the way led: in what took the place, else in what is around it. */
function nearest(way: Way): HTMLElement | undefined {
  for (const { parent, index } of way) {
    if (!parent.isConnected) continue;
    const places = [parent.children[Math.min(index, parent.children.length - 1)], parent];
    for (const place of places) {
      if (!place) continue;
      const found = [...(place.matches(focusable) ? [place] : []), ...place.querySelectorAll(focusable)].find(
        (e): e is HTMLElement => e instanceof HTMLElement && e.tabIndex >= 0 && e.checkVisibility(),
      );
      if (found) return found;
    }
    if (parent.id === 'main') return parent.querySelector<HTMLElement>('h1') ?? undefined;
  }
  return undefined;
}

/**
 * Whoever works without a mouse goes on from where they were: when what had the focus is gone from the page, as the row that was
 * deleted or the button that stopped the server, what stands nearest gets it instead of nothing.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    const root = document.getElementById('root');
    if (!root) return;
    let last: Element | undefined;
    let way: Way = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onIn = ({ target }: FocusEvent) => {
      // A layer gives the focus back to what it was opened from: that is remembered.
      if (!(target instanceof Element) || !root.contains(target)) return;
      last = target;
      way = wayTo(target);
    };
    const onOut = ({ target, relatedTarget }: FocusEvent) => {
      if (relatedTarget !== null) return;
      // Told also of what is being removed, a moment before it is. What stays was left on purpose, by a press where nothing takes the focus.
      queueMicrotask(() => {
        if (last === target && last?.isConnected && document.hasFocus()) last = undefined;
      });
    };
    const look = () => {
      timer = undefined;
      if (!last || last.isConnected || document.activeElement !== document.body) return;
      last = undefined;
      nearest(way)?.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(() => {
      if (last && !last.isConnected && timer === undefined) timer = setTimeout(look, settleMs);
    });
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('focusin', onIn);
    document.addEventListener('focusout', onOut);
    return () => {
      observer.disconnect();
      clearTimeout(timer);
      document.removeEventListener('focusin', onIn);
      document.removeEventListener('focusout', onOut);
    };
  }, []);
}
