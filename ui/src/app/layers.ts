import { createStore } from '@/lib/store';

/** Layers that anything may open: a shortcut, a menu, the palette. */
export const paletteOpen = createStore(false);
export const shortcutsOpen = createStore(false);
