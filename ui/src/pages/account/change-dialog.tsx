import { type ReactNode, useState } from 'react';
import { type Account, useChangeAccount } from '@/api/account';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { PasswordInput } from '@/ui/password-input';
import { toast } from '@/ui/toast-store';
import { FormProblem, type Problems, useProblems } from './use-problems';

interface Props {
  /** Verb and noun, on the title and on the button: "Change name". */
  title: string;
  /** What it does to other sessions. */
  description: string;
  /** The value to be set, by the name the server has for it. */
  field: 'username' | 'new_password';
  value: string;
  /** What is wrong with the value; empty when it can be sent. Asked when the button is pressed. */
  check: (currentPassword: string) => string;
  /** What the toast says afterwards. */
  said: (now: Account) => string;
  onClose: () => void;
  /** The field of the new value. */
  children: (problems: Problems) => ReactNode;
}

/** A change of the account, which the current password proves. */
export function ChangeDialog({ title, description, field, value, check, said, onClose, children }: Props) {
  const [current, setCurrent] = useState('');
  const { problems, box, found, failed } = useProblems(['current_password', field]);
  const change = useChangeAccount();
  const submit = () => {
    const gaps = { current_password: current ? '' : 'Enter the current password.', [field]: check(current) };
    if (!found(gaps)) return;
    change.mutate(
      { current_password: current, [field]: value },
      {
        onSuccess: (now) => {
          toast(said(now));
          onClose();
        },
        onError: failed,
      },
    );
  };
  return (
    <FormDialog
      open
      onClose={onClose}
      size="sm"
      title={title}
      description={description}
      submit={title}
      pending={change.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        <Field label="Current password" required error={problems.current_password}>
          {(ids) => (
            <PasswordInput
              {...ids}
              name="current-password"
              autoComplete="current-password"
              value={current}
              onChange={(e) => setCurrent(e.target.value)}
            />
          )}
        </Field>
        {children(problems)}
      </div>
    </FormDialog>
  );
}
