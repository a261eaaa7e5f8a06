import { CircleCheck, Info, TriangleAlert, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { cx } from '@/lib/cx';
import { useStore } from '@/lib/store';
import { buttons } from '@/lib/words';
import { Button } from './button';
import { iconButtonClass } from './icon-button-class';
import { dismissToast, type Toast, toasts } from './toast-store';

const looks = {
  ok: { icon: CircleCheck, ink: 'text-ok' },
  info: { icon: Info, ink: 'text-info' },
  warn: { icon: TriangleAlert, ink: 'text-warn' },
};

/** The stack of toasts. The live region of the shell speaks them, so this is not one. */
export function Toasts() {
  const shown = useStore(toasts);
  const [held, setHeld] = useState(false);
  if (shown.length === 0) return null;
  return (
    <section
      aria-label="Messages"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="fixed right-4 bottom-4 z-60 grid w-[22rem] max-w-[calc(100vw-2rem)] gap-2"
    >
      {shown.map((t) => (
        <ToastView key={t.id} toast={t} held={held} />
      ))}
    </section>
  );
}

function ToastView({ toast, held }: { toast: Toast; held: boolean }) {
  const left = useRef(toast.lasts);
  useEffect(() => {
    if (held) return;
    const started = performance.now();
    const timer = setTimeout(() => dismissToast(toast.id), left.current);
    return () => {
      clearTimeout(timer);
      left.current -= performance.now() - started;
    };
  }, [held, toast.id]);

  const { icon: Icon, ink } = looks[toast.tone];
  return (
    <div className="layer-rise flex items-center gap-2.5 rounded-lg border border-line bg-surface py-2 pr-2 pl-3 text-control shadow-pop">
      <Icon aria-hidden className={cx(ink)} />
      <p className="min-w-0 flex-1 break-words">{toast.text}</p>
      {toast.action && (
        <Button
          size="sm"
          onClick={() => {
            toast.action?.run();
            dismissToast(toast.id);
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <button
        type="button"
        aria-label={buttons.dismiss}
        onClick={() => dismissToast(toast.id)}
        className={iconButtonClass('sm')}
      >
        <X aria-hidden />
      </button>
    </div>
  );
}
