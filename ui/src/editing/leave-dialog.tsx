import { useBlocker } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';

interface Props {
  dirty: boolean;
  /** What is being edited, at the start of a sentence. */
  what: string;
  /** What was typed and is in no draft, such as a password: then the browser asks too before it closes or reloads the page. */
  unkept?: string;
  /** False when it could not be saved: the page stays and shows why. */
  onSave: () => Promise<boolean>;
}

/**
 * Asks before unsaved changes are left behind; staying is the default. A change of tab or filter stays on the page and
 * asks nothing.
 */
export function LeaveDialog({ dirty, what, unkept, onSave }: Props) {
  const stay = useRef<HTMLButtonElement>(null);
  const [pending, setPending] = useState(false);
  const { status, proceed, reset } = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: unkept !== undefined,
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
      role="alertdialog"
      initialFocus={stay}
      title={`${what} has unsaved changes`}
      footer={
        <>
          <Button intent="ghost" onClick={() => proceed?.()}>
            Leave without saving
          </Button>
          <Button pending={pending} onClick={() => void save()}>
            Save and leave
          </Button>
          <Button ref={stay} intent="primary" onClick={() => reset?.()}>
            Keep editing
          </Button>
        </>
      }
    >
      <p className="text-control text-muted">
        Without saving, they stay in this browser as a draft that you can restore when you come back.
        {unkept !== undefined && ` ${unkept} you typed is not kept.`}
      </p>
    </Dialog>
  );
}
