import { useRef, useState } from 'react';
import { api, body } from '@/api/client';
import { describe, fieldErrors } from '@/api/errors';
import { useApiMutation } from '@/api/mutations';
import { plural } from '@/lib/format';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { Notice } from '@/ui/notice';
import { PasswordInput } from '@/ui/password-input';
import type { Encryption } from './encryption';

interface Props {
  encryption: Encryption;
  onClose: () => void;
  onDone: (after: Encryption) => void;
}

/** Not to be undone, so it asks for the password. */
export function EncryptionRotateDialog({ encryption, onClose, onDone }: Props) {
  const [password, setPassword] = useState('');
  const [missing, setMissing] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const rotate = useApiMutation(['encryption'], (typed: string) =>
    body(api.POST('/api/v1/server/encryption/rotate', { body: { password: typed } })),
  );
  const fromFile = encryption.source === 'file';
  const submit = () => {
    setMissing(password ? '' : 'Enter your password.');
    if (!password) return field.current?.focus();
    rotate.mutate(password, { onSuccess: onDone, onError: () => field.current?.focus() });
  };
  const wrong = missing || fieldErrors(rotate.error).password;
  const verb = fromFile ? 'Rotate key' : 'Seal with the first key';
  return (
    <FormDialog
      open
      onClose={onClose}
      size="sm"
      title={fromFile ? 'Rotate the encryption key' : 'Seal with the first key'}
      submit={verb}
      intent="danger"
      pending={rotate.isPending}
      onSubmit={submit}
    >
      <div className="grid gap-3 text-control text-muted">
        <p>
          {fromFile
            ? `A new key is made and seals ${plural(encryption.total, 'secret')}. The server keeps running.`
            : `${plural(encryption.total, 'secret')} are sealed with the first key of STUDIO_ENCRYPTION_KEY. The server keeps running.`}
        </p>
        <p>This cannot be undone. Backups made before open only with the old key: keep its copy as long as them.</p>
      </div>
      {rotate.isError && !wrong && (
        <div role="alert">
          <Notice tone="bad">
            {describe(rotate.error).cause} {describe(rotate.error).next}
          </Notice>
        </div>
      )}
      <Field label="Password" required error={wrong}>
        {(ids) => (
          <PasswordInput
            {...ids}
            ref={field}
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(e) => setPassword(e.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}
