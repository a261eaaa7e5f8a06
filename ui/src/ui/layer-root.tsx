import { createContext, type ReactNode, useContext, useState } from 'react';

const Root = createContext<HTMLElement | null | undefined>(undefined);

/**
 * Gives the layers that open inside a dialog a place inside that dialog, outside of what it clips: a list that is
 * rendered elsewhere would be hidden with the rest of the page.
 */
export function DialogLayer({ children }: { children: ReactNode }) {
  const [element, setElement] = useState<HTMLElement | null>(null);
  return (
    <Root.Provider value={element}>
      {children}
      <div ref={setElement} />
    </Root.Provider>
  );
}

/**
 * Where menus, lists and tooltips are rendered: a landmark of index.html, because everything on a page must be
 * inside one; in a dialog, the dialog.
 */
export function useLayerRoot(): HTMLElement | undefined {
  const inDialog = useContext(Root);
  return inDialog ?? document.getElementById('layers') ?? undefined;
}
