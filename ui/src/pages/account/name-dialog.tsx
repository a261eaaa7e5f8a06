import { useState } from 'react';
import type { Account } from '@/api/account';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { ChangeDialog } from './change-dialog';

export function NameDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [name, setName] = useState(account.username);
  const wanted = name.trim();
  const check = () => {
    if (!wanted) return 'Enter a name.';
    return wanted === account.username ? 'This is the name already.' : '';
  };
  return (
    <ChangeDialog
      title="Change name"
      description="Every other session is ended; this one stays."
      field="username"
      value={wanted}
      check={check}
      said={(now) => `The name is ${now.username} now.`}
      onClose={onClose}
    >
      {(problems) => (
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
      )}
    </ChangeDialog>
  );
}
