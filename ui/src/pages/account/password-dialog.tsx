import { useState } from 'react';
import type { Account } from '@/api/account';
import { judge } from '@/auth/password-rules';
import { StrengthMeter } from '@/auth/strength-meter';
import { Field } from '@/ui/field';
import { PasswordInput } from '@/ui/password-input';
import { ChangeDialog } from './change-dialog';

export function PasswordDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const [next, setNext] = useState('');
  const strength = judge(next, account.username);
  return (
    <ChangeDialog
      title="Change password"
      description="Every other session is ended; this one stays."
      field="new_password"
      value={next}
      check={(current) => strength.broken || (next === current ? 'This is the password already.' : '')}
      said={() => 'The password is changed. Every other session has ended.'}
      onClose={onClose}
    >
      {(problems) => (
        <>
          {/* Password managers file the new password under this name. */}
          <input type="text" name="username" autoComplete="username" value={account.username} readOnly hidden />
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
        </>
      )}
    </ChangeDialog>
  );
}
