/**
 * Key combinations as text. "mod" is Command on Apple systems and Control elsewhere.
 * "mod+shift+d" is pressed together; "g c" is pressed one after the other.
 */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

export const isApple = (platform: string): boolean => /mac|iphone|ipad/i.test(platform);

/** The combination of one key press in the notation above, for comparison with a shortcut. */
export function pressOf(event: Press, apple: boolean): string {
  const mod = apple ? event.metaKey : event.ctrlKey;
  const key = event.key.toLowerCase();
  const parts: string[] = [];
  if (mod) parts.push('mod');
  if (apple ? event.ctrlKey : event.metaKey) parts.push(apple ? 'ctrl' : 'meta');
  if (event.altKey) parts.push('alt');
  // A printable sign such as "?" already says that Shift was down; a letter or a named key does not.
  if (event.shiftKey && (key.length > 1 || /\p{L}/u.test(key))) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

const names: Record<string, [other: string, apple: string]> = {
  mod: ['Ctrl', '⌘'],
  shift: ['Shift', '⇧'],
  alt: ['Alt', '⌥'],
  enter: ['Enter', '↵'],
  escape: ['Esc', 'Esc'],
};

/** The keys of a shortcut as they are printed, one string per key: ["Ctrl", "Shift", "D"]. */
export function keyLabels(shortcut: string, apple: boolean): string[] {
  return shortcut.split(/[ +]/).map((part) => names[part]?.[apple ? 1 : 0] ?? part.toUpperCase());
}

/** The form that aria-keyshortcuts wants; sequences have none. */
export function ariaShortcut(shortcut: string, apple: boolean): string | undefined {
  if (shortcut.includes(' ')) return undefined;
  return shortcut
    .split('+')
    .map((part) => (part === 'mod' ? (apple ? 'Meta' : 'Control') : part.charAt(0).toUpperCase() + part.slice(1)))
    .join('+');
}

/** True when a press without modifier would type a character, so that it must never run a shortcut while typing. */
export const isPlain = (shortcut: string): boolean => !/(^|\+)(mod|ctrl|meta|alt)\+/.test(shortcut);
