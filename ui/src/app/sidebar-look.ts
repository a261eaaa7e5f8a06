/** "auto" is icons below 1280 px; a person's own choice is kept. */
export type SidebarLook = 'auto' | 'open' | 'icons';

/** Classes that apply when only icons are shown: by choice, or by width in "auto". */
export const onlyIcons = (look: SidebarLook, always: string, below: string): string | undefined =>
  look === 'icons' ? always : look === 'auto' ? below : undefined;
