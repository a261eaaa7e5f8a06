import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import type { ReactNode, RefObject } from 'react';
import { cx } from '@/lib/cx';
import { buttons } from '@/lib/words';
import { iconButtonClass } from './icon-button-class';
import { DialogLayer } from './layer-root';

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  footer?: ReactNode;
  size?: 'sm' | 'md' | 'lg';
  /** False for contents that must not vanish by accident, such as a secret shown once: no ×, no Escape, no click outside. */
  dismissible?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  role?: 'dialog' | 'alertdialog';
}

const widths = { sm: 'w-[26rem]', md: 'w-[34rem]', lg: 'w-[52rem]' };

/** A modal layer: the focus stays inside, and returns to where it was when the layer closes. */
export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  footer,
  size = 'md',
  dismissible = true,
  initialFocus,
  role = 'dialog',
}: Props) {
  return (
    <Base.Root
      open={open}
      disablePointerDismissal={!dismissible || role === 'alertdialog'}
      onOpenChange={(next, details) => {
        if (next) return;
        if (dismissible) onClose();
        else details.cancel();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="layer-fade fixed inset-0 z-40 bg-scrim" />
        <Base.Viewport className="fixed inset-0 z-50 grid grid-cols-[minmax(0,1fr)] place-items-center overflow-y-auto p-4">
          <Base.Popup
            role={role}
            initialFocus={initialFocus}
            className={cx('layer-rise max-w-full outline-none', widths[size])}
          >
            <DialogLayer>
              <div className="flex max-h-[calc(100dvh-2rem)] flex-col overflow-hidden rounded-xl border border-line bg-surface shadow-pop">
                <header className="flex items-start gap-3 px-5 pt-4 pb-3">
                  <div className="min-w-0 flex-1">
                    <Base.Title className="text-section font-semibold break-words">{title}</Base.Title>
                    {description && (
                      <Base.Description className="mt-0.5 text-control text-muted">{description}</Base.Description>
                    )}
                  </div>
                  {dismissible && role === 'dialog' && (
                    <Base.Close aria-label={buttons.close} className={iconButtonClass('sm', '-mr-1.5')}>
                      <X aria-hidden />
                    </Base.Close>
                  )}
                </header>
                {children && <div className="min-h-0 flex-1 overflow-y-auto px-5 py-1">{children}</div>}
                {footer && (
                  <footer className="mt-3 flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">
                    {footer}
                  </footer>
                )}
              </div>
            </DialogLayer>
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}
