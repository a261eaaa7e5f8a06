import { useState } from 'react';
import { type Account, useChangeAccount } from '@/api/account';
import { judge } from '@/auth/password-rules';
import { StrengthMeter } from '@/auth/strength-meter';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { PasswordInput } from '@/ui/password-input';
import { toast } from '@/ui/toast-store';
import { FormProblem, useProblems } from './use-problems';

export function PasswordDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const { problems, box, found, failed } = useProblems(['current_password', 'new_password']);
  const change = useChangeAccount();
  const strength = judge(next, account.username);
  const submit = () => {
    const sendable = found({
      current_password: current ? '' : 'Enter the current password.',
      new_password: strength.broken || (next === current ? 'This is the password already.' : ''),
    });
    if (!sendable) return;
    change.mutate(
      { current_password: current, new_password: next },
      {
        onSuccess: () => {
          toast('The password is changed. Every other session has ended.');
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
      title="Change password"
      description="Every other session is ended; this one stays."
      submit="Change password"
      pending={change.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        {/* Password managers file the new password under this name. */}
        <input type="text" name="username" autoComplete="username" value={account.username} readOnly hidden />
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
        <Field label="New password" required error={problems.new_password} hint={strength.hint}>
          {(ids) => (
            <>
              <PasswordInput
                {...ids}
                name="new-password"
                autoComplete="new-password"
                value={next}
                onChange={(e) => setNext(e.target.value)}
              />
              <StrengthMeter strength={strength} empty={next === ''} />
            </>
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
