import { useRef, useState } from 'react';
import { CodeInput } from '@/ui/code-input';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';
import type { Problems } from './use-problems';

/** Who asks shows the password and the second factor again. */
export interface Proof {
  password: string;
  code: string;
  is_recovery: boolean;
}

export function useProof() {
  const [proof, setProof] = useState<Proof>({ password: '', code: '', is_recovery: false });
  const gaps = {
    password: proof.password ? '' : 'Enter your password.',
    code: proof.code.trim() ? '' : 'Enter a code.',
  };
  return { proof, setProof, gaps };
}

interface Props {
  proof: Proof;
  onChange: (proof: Proof) => void;
  problems: Problems;
  /** Whether a recovery code will do; for new recovery codes it will not. */
  recovery: boolean;
}

/** The last digit does not send here: what follows is not to be undone. */
export function ProofFields({ proof, onChange, problems, recovery }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const toggle = recovery && (
    <button
      type="button"
      onClick={() => {
        onChange({ ...proof, code: '', is_recovery: !proof.is_recovery });
        field.current?.focus();
      }}
      className="min-h-6 rounded text-link hover:underline pointer-coarse:-my-2.5 pointer-coarse:min-h-11"
    >
      {proof.is_recovery ? 'Use the app' : 'Use a recovery code'}
    </button>
  );
  return (
    <>
      <Field label="Password" required error={problems.password}>
        {(ids) => (
          <PasswordInput
            {...ids}
            name="password"
            autoComplete="current-password"
            value={proof.password}
            onChange={(e) => onChange({ ...proof, password: e.target.value })}
          />
        )}
      </Field>
      <Field
        label={proof.is_recovery ? 'Recovery code' : 'Code'}
        required
        error={problems.code}
        aside={toggle}
        hint={proof.is_recovery ? undefined : 'The six digits that the app shows now.'}
      >
        {(ids) =>
          proof.is_recovery ? (
            <Input
              {...ids}
              ref={field}
              mono
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={proof.code}
              onChange={(e) => onChange({ ...proof, code: e.target.value })}
            />
          ) : (
            <CodeInput
              {...ids}
              ref={field}
              name="code"
              value={proof.code}
              onChange={(code) => onChange({ ...proof, code })}
            />
          )
        }
      </Field>
    </>
  );
}
