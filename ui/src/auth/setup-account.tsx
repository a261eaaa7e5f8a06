import { useEffect, useRef, useState } from 'react';
import { setUp } from '@/api/auth';
import { ApiError, fieldErrors } from '@/api/errors';
import { authPaths } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Field } from '@/ui/field';
import { type FormError, FormErrors, focusFirstError } from '@/ui/form-errors';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';
import { Frame } from './frame';
import { judge } from './password-rules';
import { problemText } from './problem';
import { StrengthMeter } from './strength-meter';

type Problems = Readonly<Partial<Record<'username' | 'password' | 'setup_code' | 'form', string>>>;
const labels = { username: 'Name', password: 'Password', setup_code: 'Setup code', form: '' };

interface Props {
  step: string;
  /** From the link that the server printed; empty when the address was typed. */
  code: string;
  onDone: () => void;
}

export function SetupAccount({ step, code, onDone }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [name, setName] = useState('admin');
  const [secret, setSecret] = useState('');
  const [typedCode, setTypedCode] = useState(code);
  const [problems, setProblems] = useState<Problems>({});
  const [pending, setPending] = useState(false);
  const strength = judge(secret, name);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves when something is found wrong
  useEffect(() => focusFirstError(form.current), [problems]);

  const submit = async () => {
    const found: Problems = {
      ...(!name.trim() && { username: 'Choose a name for the admin.' }),
      ...(strength.broken && { password: strength.broken }),
      ...(!typedCode.trim() && { setup_code: 'Enter the code that the server printed when it started.' }),
    };
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    setPending(true);
    try {
      await setUp(name.trim(), secret, typedCode.trim());
      onDone();
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return location.replace(authPaths.login);
      const fields = fieldErrors(error);
      const known = Object.keys(fields).some((f) => f in labels);
      const wrongCode = error instanceof ApiError && (error.status === 401 || error.status === 403);
      if (known) setProblems(fields);
      else if (wrongCode) setProblems({ setup_code: problemText(error) });
      else setProblems({ form: problemText(error) });
    } finally {
      setPending(false);
    }
  };

  const errors = (['username', 'password', 'setup_code', 'form'] as const).flatMap((key): FormError[] => {
    const message = problems[key];
    return message ? [{ id: key === 'form' ? '' : key, label: labels[key], message }] : [];
  });
  return (
    <Frame
      title="Create the admin account"
      lead="One person manages this server. The password can be reset from its command line only."
      step={step}
      foot="Your data stays on this server."
    >
      <form
        ref={form}
        noValidate
        className="grid gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          if (!pending) void submit();
        }}
      >
        <FormErrors errors={errors} />
        <Field id="username" label="Name" required error={problems.username}>
          {(ids) => (
            <Input
              {...ids}
              name="username"
              size="lg"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              value={name}
              onChange={(e) => setName(e.target.value)}
            />
          )}
        </Field>
        <Field id="password" label="Password" required error={problems.password} hint={strength.hint}>
          {(ids) => (
            <>
              <PasswordInput
                {...ids}
                name="password"
                size="lg"
                autoComplete="new-password"
                autoFocus
                value={secret}
                onChange={(e) => setSecret(e.target.value)}
              />
              <StrengthMeter strength={strength} empty={secret === ''} />
            </>
          )}
        </Field>
        {!code && (
          <Field
            id="setup_code"
            label="Setup code"
            required
            error={problems.setup_code}
            hint="The server prints it in its terminal or log, after #code= in the setup address."
          >
            {(ids) => (
              <Input
                {...ids}
                name="setup_code"
                size="lg"
                mono
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                value={typedCode}
                onChange={(e) => setTypedCode(e.target.value)}
              />
            )}
          </Field>
        )}
        {code && problems.setup_code && (
          <Field
            id="setup_code"
            label="Setup code"
            required
            error={problems.setup_code}
            hint="The link may be from an earlier start of the server."
          >
            {(ids) => (
              <Input
                {...ids}
                name="setup_code"
                size="lg"
                mono
                autoComplete="off"
                value={typedCode}
                onChange={(e) => setTypedCode(e.target.value)}
              />
            )}
          </Field>
        )}
        <Button type="submit" intent="primary" size="lg" pending={pending}>
          Create account
        </Button>
      </form>
    </Frame>
  );
}
