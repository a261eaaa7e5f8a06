import { Dialog } from '@base-ui/react/dialog';
import { Sidebar } from './sidebar';

/** The sidebar on a phone. */
export function Sheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-scrim" />
        <Dialog.Popup
          aria-label="Navigation"
          className="fixed inset-y-0 left-0 z-50 w-70 max-w-[85vw] border-r border-line bg-bg shadow-pop outline-none"
        >
          <Sidebar look="open" onNavigate={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
