import { useBlocker } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';

interface Props {
  dirty: boolean;
  /** What is being edited, at the start of a sentence. */
  what: string;
  /** False when it could not be saved: the page stays and shows why. */
  onSave: () => Promise<boolean>;
}

/** Asks before unsaved changes are left behind. A change of tab or filter stays on the page and asks nothing. */
export function LeaveDialog({ dirty, what, onSave }: Props) {
  const keep = useRef<HTMLButtonElement>(null);
  const [pending, setPending] = useState(false);
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  const save = async () => {
    setPending(true);
    const saved = await onSave();
    setPending(false);
    if (saved) proceed?.();
    else reset?.();
  };
  return (
    <Dialog
      open={status === 'blocked'}
      onClose={() => reset?.()}
      title={`${what} has unsaved changes`}
      role="alertdialog"
      initialFocus={keep}
      footer={
        <>
          <Button intent="ghost" onClick={() => proceed?.()}>
            Leave without saving
          </Button>
          <Button pending={pending} onClick={() => void save()}>
            Save and leave
          </Button>
          <Button ref={keep} intent="primary" onClick={() => reset?.()}>
            Keep editing
          </Button>
        </>
      }
    >
      <p className="text-control text-muted">
        Without saving, they stay in this browser as a draft that you can restore when you come back. Passwords are
        never part of it.
      </p>
    </Dialog>
  );
}
