import { type ReactNode, useId, useRef } from 'react';
import { buttons } from '@/lib/words';
import { Button, type Intent } from './button';
import { Dialog } from './dialog';

interface Props {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  /** Verb and noun: "Create token". */
  submit: string;
  intent?: Intent;
  pending?: boolean;
  onSubmit: () => void;
  size?: 'sm' | 'md' | 'lg';
}

/** A form in a layer; its first field has the focus. The submit button stays enabled; pressing it shows what is missing. */
export function FormDialog({
  open,
  onClose,
  title,
  description,
  children,
  submit,
  intent = 'primary',
  pending,
  onSubmit,
  size,
}: Props) {
  const id = useId();
  const first = useRef<HTMLElement | null>(null);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      description={description}
      size={size}
      initialFocus={first}
      footer={
        <>
          <Button onClick={onClose}>{buttons.cancel}</Button>
          <Button type="submit" form={id} intent={intent} pending={pending}>
            {submit}
          </Button>
        </>
      }
    >
      <form
        id={id}
        ref={(form) => {
          first.current = form?.querySelector<HTMLElement>('input:not([hidden]), textarea, select') ?? null;
        }}
        noValidate
        className="grid gap-4 py-1"
        onSubmit={(e) => {
          e.preventDefault();
          // A dialog can be opened from inside another form of the React tree.
          e.stopPropagation();
          if (!pending) onSubmit();
        }}
      >
        {children}
      </form>
    </Dialog>
  );
}
