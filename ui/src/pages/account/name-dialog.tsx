import { useState } from 'react';
import { type Account, useChangeAccount } from '@/api/account';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';
import { toast } from '@/ui/toast-store';
import { FormProblem, useProblems } from './use-problems';

export function NameDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [name, setName] = useState(account.username);
  const [current, setCurrent] = useState('');
  const { problems, box, found, failed } = useProblems(['username', 'current_password']);
  const change = useChangeAccount();
  const submit = () => {
    const sendable = found({
      username: name.trim() ? (name.trim() === account.username ? 'This is the name already.' : '') : 'Enter a name.',
      current_password: current ? '' : 'Enter the current password.',
    });
    if (!sendable) return;
    change.mutate(
      { current_password: current, username: name.trim() },
      {
        onSuccess: (now) => {
          toast(`The name is ${now.username} now.`);
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
      title="Change name"
      description="Every other session is ended."
      submit="Change name"
      pending={change.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        <Field label="New name" required error={problems.username}>
          {(ids) => (
            <Input
              {...ids}
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              value={name}
              onChange={(e) => setName(e.target.value)}
            />
          )}
        </Field>
        <Field label="Current password" required error={problems.current_password}>
          {(ids) => (
            <PasswordInput
              {...ids}
              name="password"
              autoComplete="current-password"
              value={current}
              onChange={(e) => setCurrent(e.target.value)}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}
