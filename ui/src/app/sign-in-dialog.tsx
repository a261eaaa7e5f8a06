import { useRef, useState } from 'react';
import { signIn } from '@/api/auth';
import { ApiError, describe } from '@/api/errors';
import { sessionAbandoned, sessionRestored } from '@/api/session';
import { loginPath } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import { PasswordInput } from '@/ui/password-input';

/** The session ended while the page was open: sign in over it, and what was pressed goes on. */
export function SignInDialog({ username }: { username: string }) {
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(username);
  const [secret, setSecret] = useState('');
  const [problem, setProblem] = useState('');
  const [pending, setPending] = useState(false);

  const submit = async () => {
    setPending(true);
    setProblem('');
    try {
      await signIn(name, secret);
      sessionRestored();
    } catch (error) {
      const { cause, next } = describe(error);
      setProblem(error instanceof ApiError && error.status === 401 ? error.detail : `${cause} ${next}`);
      setSecret('');
      password.current?.focus();
    } finally {
      setPending(false);
    }
  };
  const leave = () => {
    sessionAbandoned();
    location.assign(loginPath(location.pathname + location.search));
  };

  return (
    <Dialog
      open
      onClose={leave}
      dismissible={false}
      size="sm"
      title="Sign in to continue"
      description="The session is over. Nothing on this page is lost."
      initialFocus={password}
      footer={
        <>
          <Button intent="ghost" onClick={leave}>
            Leave this page
          </Button>
          <Button intent="primary" pending={pending} onClick={() => form.current?.requestSubmit()}>
            Sign in
          </Button>
        </>
      }
    >
      <form
        ref={form}
        className="grid gap-4 pb-1"
        onSubmit={(e) => {
          e.preventDefault();
          if (!pending) void submit();
        }}
      >
        {problem && (
          <div role="alert">
            <Notice tone="bad">{problem}</Notice>
          </div>
        )}
        <Field label="Name">
          {(ids) => (
            <Input
              {...ids}
              name="username"
              autoComplete="username"
              value={name}
              onChange={(e) => setName(e.target.value)}
            />
          )}
        </Field>
        <Field label="Password">
          {(ids) => (
            <PasswordInput
              {...ids}
              ref={password}
              name="password"
              autoComplete="current-password"
              value={secret}
              onChange={(e) => setSecret(e.target.value)}
            />
          )}
        </Field>
        {/* Enter submits a form only when it has a submit button; the visible one stands in the footer. */}
        <button type="submit" hidden aria-label="Sign in" />
      </form>
    </Dialog>
  );
}
