import { useEffect, useRef } from 'react';

/**
 * Runs when the person goes: to another page, another tab, a reload, or away. The browser tells of each in its own way, so it may run
 * twice; what it begins must not need an answer.
 */
export function useOnLeave(run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const leave = () => latest.current();
    const hide = () => {
      if (document.visibilityState === 'hidden') leave();
    };
    document.addEventListener('visibilitychange', hide);
    window.addEventListener('pagehide', leave);
    return () => {
      document.removeEventListener('visibilitychange', hide);
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, []);
}
