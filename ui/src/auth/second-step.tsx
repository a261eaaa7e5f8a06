import type { Ref } from 'react';
import { CodeInput } from '@/ui/code-input';
import { Command } from '@/ui/command';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';

interface Props {
  /** A recovery code instead of one of the app. */
  recovery: boolean;
  onRecovery: (on: boolean) => void;
  code: string;
  onCode: (code: string) => void;
  /** The code is complete: it is sent without a press. */
  onComplete: (code: string) => void;
  error?: string;
  field: Ref<HTMLInputElement>;
}

/** The question for the second factor: six digits of the app, or one of the recovery codes. */
export function SecondStep({ recovery, onRecovery, code, onCode, onComplete, error, field }: Props) {
  const other = (
    <button
      type="button"
      onClick={() => {
        onCode('');
        onRecovery(!recovery);
      }}
      className="min-h-6 rounded text-link hover:underline pointer-coarse:-my-2.5 pointer-coarse:min-h-11"
    >
      {recovery ? 'Use the app' : 'Use a recovery code'}
    </button>
  );
  if (recovery) {
    return (
      <div className="grid gap-4">
        <Field
          label="Recovery code"
          required
          error={error}
          aside={other}
          hint="One of the ten codes that were shown when two-factor was turned on. Each works once."
        >
          {(ids) => (
            <Input
              {...ids}
              ref={field}
              name="recovery-code"
              size="lg"
              mono
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              value={code}
              onChange={(e) => onCode(e.target.value)}
            />
          )}
        </Field>
        <div className="grid gap-2 rounded-md border border-line bg-surface p-3 text-control text-muted">
          <p>
            Neither the app nor a code at hand? Run this on the server. It asks for a new password and ends every
            session.
          </p>
          <Command text="studio reset-password --disable-2fa" />
        </div>
      </div>
    );
  }
  return (
    <Field
      label="Code"
      required
      error={error}
      aside={other}
      hint="The six digits that your authenticator app shows for this server."
    >
      {(ids) => (
        <CodeInput {...ids} ref={field} name="code" autoFocus value={code} onChange={onCode} onComplete={onComplete} />
      )}
    </Field>
  );
}
