import { type ReactNode, useId, useRef, useState } from 'react';
import { buttons } from '@/lib/words';
import { Button } from './button';
import { Dialog } from './dialog';
import { Input } from './input';
import { Notice } from './notice';

interface Props {
  open: boolean;
  onClose: () => void;
  /** Names the object: "Revoke token laptop-1". */
  title: string;
  /** What will happen, with numbers where there are some. */
  children: ReactNode;
  /** The verb of the title, repeated on the button: "Revoke token". */
  verb: string;
  /** The dialog stays open, with the error, when it rejects. */
  onConfirm: () => Promise<void>;
  /** For what cannot be undone: the text the person has to type first. */
  typed?: string;
  /** A milder way out that the dialog offers beside the verb: "Disable instead". */
  other?: { verb: string; run: () => Promise<void> };
  /** What the dialog says is still being asked for. */
  waiting?: boolean;
  intent?: 'danger' | 'primary';
  size?: 'sm' | 'md' | 'lg';
  describeError: (error: unknown) => string;
}

/** Asks before something that affects others or cannot be undone. Cancel has the first focus. */
export function ConfirmDialog({
  open,
  onClose,
  title,
  children,
  verb,
  onConfirm,
  typed,
  other,
  waiting = false,
  intent = 'danger',
  size = 'sm',
  describeError,
}: Props) {
  const id = useId();
  const cancel = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [pending, setPending] = useState<'verb' | 'other'>();
  const [problem, setProblem] = useState('');

  const close = () => {
    setText('');
    setProblem('');
    onClose();
  };
  const run = async (which: 'verb' | 'other', work: () => Promise<void>) => {
    if (pending || waiting) return;
    setPending(which);
    setProblem('');
    try {
      await work();
      close();
    } catch (error) {
      setProblem(describeError(error));
    } finally {
      setPending(undefined);
    }
  };
  const confirm = () => {
    if (typed !== undefined && text !== typed) {
      setProblem(`Type ${typed} to continue.`);
      field.current?.focus();
      return;
    }
    void run('verb', onConfirm);
  };

  return (
    <Dialog
      open={open}
      onClose={close}
      title={title}
      size={size}
      role="alertdialog"
      initialFocus={typed === undefined ? cancel : field}
      footer={
        <>
          <Button ref={cancel} onClick={close}>
            {buttons.cancel}
          </Button>
          {other && (
            <Button pending={pending === 'other'} onClick={() => void run('other', other.run)}>
              {other.verb}
            </Button>
          )}
          <Button intent={intent} pending={pending === 'verb' || waiting} onClick={confirm}>
            {verb}
          </Button>
        </>
      }
    >
      <div className="grid gap-3 text-control text-muted">
        {children}
        {typed !== undefined && (
          <div className="grid gap-1.5">
            <label htmlFor={id} className="text-label font-medium text-fg">
              Type <b className="font-mono font-medium">{typed}</b> to continue
            </label>
            <Input
              ref={field}
              id={id}
              value={text}
              autoComplete="off"
              onChange={(e) => setText(e.target.value)}
              onKeyDown={(e) => {
                if (e.key === 'Enter') confirm();
              }}
            />
          </div>
        )}
        {problem && (
          <div role="alert">
            <Notice tone="bad">{problem}</Notice>
          </div>
        )}
      </div>
    </Dialog>
  );
}
