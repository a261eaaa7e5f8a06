import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const listeners = new Set<() => void>();
const year = 31_536_000;

function read(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** The server turns the cookie into the data-theme attribute of the next page it sends, so no script runs before paint. */
export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === 'https:' ? '; secure' : '';
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every supported browser
  document.cookie = `theme=${theme}; path=/; max-age=${year}; samesite=lax${secure}`;
  for (const notify of listeners) notify();
}

export function useTheme(): Theme {
  return useSyncExternalStore((notify) => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    listeners.add(notify);
    media.addEventListener('change', notify);
    return () => {
      listeners.delete(notify);
      media.removeEventListener('change', notify);
    };
  }, read);
}
