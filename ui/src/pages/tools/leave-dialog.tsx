import { useRef } from 'react';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';

interface Props {
  open: boolean;
  name: string;
  pending: boolean;
  onSave: () => void;
  onLeave: () => void;
  onStay: () => void;
}

/** Asks before a page with unsaved changes is left. Staying is the default. */
export function LeaveDialog({ open, name, pending, onSave, onLeave, onStay }: Props) {
  const stay = useRef<HTMLButtonElement>(null);
  return (
    <Dialog
      open={open}
      onClose={onStay}
      role="alertdialog"
      initialFocus={stay}
      title={`${name} has unsaved changes`}
      footer={
        <>
          <Button intent="ghost" onClick={onLeave}>
            Leave without saving
          </Button>
          <Button pending={pending} onClick={onSave}>
            Save and leave
          </Button>
          <Button ref={stay} intent="primary" onClick={onStay}>
            Keep editing
          </Button>
        </>
      }
    >
      <p className="text-control text-muted">
        Without saving, the changes stay in this browser as a draft that you can restore when you come back.
      </p>
    </Dialog>
  );
}
