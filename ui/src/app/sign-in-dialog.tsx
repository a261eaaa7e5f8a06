import { useRef, useState } from 'react';
import { sessionAbandoned, sessionRestored } from '@/api/session';
import { ProblemNotice } from '@/auth/problem-notice';
import { SecondStep } from '@/auth/second-step';
import { useSignIn } from '@/auth/use-sign-in';
import { loginPath } from '@/lib/paths';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';

/** The session ended while the page was open: sign in over it, and what was pressed goes on. */
export function SignInDialog({ username }: { username: string }) {
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  const [name, setName] = useState(username);
  const [secret, setSecret] = useState('');
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState(false);
  const signIn = useSignIn(sessionRestored);

  const submit = async (typed = code) => {
    if (signIn.pending) return;
    if (!signIn.asksCode) {
      const taken = await signIn.sendPassword(name, secret);
      setSecret('');
      if (!taken) password.current?.focus();
      return;
    }
    if (await signIn.sendCode(typed.trim(), recovery)) return;
    setCode('');
    codeField.current?.focus();
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
          <Button intent="primary" pending={signIn.pending} onClick={() => form.current?.requestSubmit()}>
            {buttons.signIn}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        noValidate
        className="grid gap-4 pb-1"
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}
      >
        <ProblemNotice signIn={signIn} />
        {signIn.asksCode ? (
          <SecondStep
            recovery={recovery}
            onRecovery={(on) => {
              setRecovery(on);
              signIn.clearProblem();
            }}
            code={code}
            onCode={setCode}
            onComplete={(full) => void submit(full)}
            field={codeField}
          />
        ) : (
          <>
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
          </>
        )}
        {/* Enter submits a form only when it has a submit button; the visible one stands in the footer. */}
        <button type="submit" hidden aria-label={buttons.signIn} />
      </form>
    </Dialog>
  );
}
