import { useEffect, useRef, useState } from 'react';
import { signIn } from '@/api/auth';
import { ApiError, describe } from '@/api/errors';
import { nextPath } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Field } from '@/ui/field';
import { focusFirstError } from '@/ui/form-errors';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { PasswordInput } from '@/ui/password-input';
import { Command } from './command';
import { Frame } from './frame';
import { Locked } from './locked';

export function Login() {
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [missing, setMissing] = useState<{ name?: string; secret?: string }>({});
  const [problem, setProblem] = useState<{ text: string; lockedUntil?: number }>();
  const [pending, setPending] = useState(false);
  const [help, setHelp] = useState(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves once, when something is found missing
  useEffect(() => focusFirstError(form.current), [missing]);

  const submit = async () => {
    const gaps = {
      name: name.trim() ? undefined : 'Enter your name.',
      secret: secret ? undefined : 'Enter your password.',
    };
    setProblem(undefined);
    if (gaps.name || gaps.secret) return setMissing(gaps);
    setMissing({});
    setPending(true);
    try {
      await signIn(name, secret);
      location.replace(nextPath(location.search, location.origin));
    } catch (error) {
      setPending(false);
      setSecret('');
      password.current?.focus();
      setProblem(words(error));
    }
  };

  return (
    <Frame title="Sign in" lead="Use the admin account of this server.">
      <form
        ref={form}
        noValidate
        className="grid gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          if (!pending) void submit();
        }}
      >
        {problem && (
          <div role="alert">
            <Notice tone="bad">
              {problem.text}{' '}
              {problem.lockedUntil && <Locked until={problem.lockedUntil} onEnd={() => setProblem(undefined)} />}
            </Notice>
          </div>
        )}
        <Field label="Name" required error={missing.name}>
          {(ids) => (
            <Input
              {...ids}
              name="username"
              size="lg"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              value={name}
              onChange={(e) => setName(e.target.value)}
            />
          )}
        </Field>
        <Field
          label="Password"
          required
          error={missing.secret}
          aside={
            <button
              type="button"
              onClick={() => setHelp(!help)}
              aria-expanded={help}
              aria-controls="password-help"
              className="min-h-6 rounded text-link hover:underline"
            >
              Forgot password
            </button>
          }
        >
          {(ids) => (
            <PasswordInput
              {...ids}
              ref={password}
              name="password"
              size="lg"
              autoComplete="current-password"
              value={secret}
              onChange={(e) => setSecret(e.target.value)}
            />
          )}
        </Field>
        {help && (
          <div
            id="password-help"
            className="grid gap-2 rounded-md border border-line bg-surface p-3 text-control text-muted"
          >
            <p>There is no reset over the web. Run this on the server; it asks for a new password.</p>
            <Command text="studio reset-password" />
          </div>
        )}
        <Button type="submit" intent="primary" size="lg" pending={pending}>
          Sign in
        </Button>
      </form>
    </Frame>
  );
}

function words(error: unknown): { text: string; lockedUntil?: number } {
  const { cause, next } = describe(error);
  if (error instanceof ApiError && error.status === 401) return { text: error.detail };
  if (error instanceof ApiError && error.code === 'too_many' && error.retryAfter > 0) {
    return { text: cause, lockedUntil: Date.now() + error.retryAfter * 1000 };
  }
  return { text: `${cause} ${next}` };
}
