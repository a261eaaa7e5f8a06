import { useEffect, useRef, useState } from 'react';
import { nextPath } from '@/lib/paths';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Command } from '@/ui/command';
import { Field } from '@/ui/field';
import { focusFirstError } from '@/ui/form-errors';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';
import { Frame } from './frame';
import { ProblemNotice } from './problem-notice';
import { SecondStep } from './second-step';
import { type SignIn, useSignIn } from './use-sign-in';

/** Name and password, then the second factor where one is on. */
export function Login() {
  const signIn = useSignIn(() => location.replace(nextPath(location.search, location.origin)));
  const [name, setName] = useState('');
  return signIn.asksCode ? <CodeStep signIn={signIn} /> : <PasswordStep signIn={signIn} name={name} onName={setName} />;
}

function PasswordStep({ signIn, name, onName }: { signIn: SignIn; name: string; onName: (name: string) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const [secret, setSecret] = useState('');
  const [missing, setMissing] = useState<{ name?: string; secret?: string }>({});
  const [help, setHelp] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus moves once, when something is found missing
  useEffect(() => focusFirstError(form.current), [missing]);

  const submit = async () => {
    const gaps = {
      name: name.trim() ? undefined : 'Enter your name.',
      secret: secret ? undefined : 'Enter your password.',
    };
    setMissing(gaps);
    if (gaps.name || gaps.secret) return signIn.clearProblem();
    if (await signIn.sendPassword(name, secret)) return;
    setSecret('');
    password.current?.focus();
  };

  return (
    <Frame title={buttons.signIn} lead="Use the admin account of this server.">
      <form
        ref={form}
        noValidate
        className="grid gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          if (!signIn.pending) void submit();
        }}
      >
        <ProblemNotice signIn={signIn} />
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
              onChange={(e) => onName(e.target.value)}
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
              className="min-h-6 rounded text-link hover:underline pointer-coarse:-my-2.5 pointer-coarse:min-h-11"
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
        <Button type="submit" intent="primary" size="lg" pending={signIn.pending}>
          {buttons.signIn}
        </Button>
      </form>
    </Frame>
  );
}

function CodeStep({ signIn }: { signIn: SignIn }) {
  const field = useRef<HTMLInputElement>(null);
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState('');
  const [missing, setMissing] = useState('');
  const send = async (text: string) => {
    setMissing(text ? '' : 'Enter the code.');
    if (!text) return field.current?.focus();
    if (await signIn.sendCode(text, recovery)) return;
    setCode('');
    field.current?.focus();
  };
  return (
    <Frame title="Two-factor code" lead="The password is right. One more step.">
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(e) => {
          e.preventDefault();
          if (!signIn.pending) void send(code.trim());
        }}
      >
        <ProblemNotice signIn={signIn} />
        <SecondStep
          recovery={recovery}
          onRecovery={(on) => {
            setRecovery(on);
            setMissing('');
            signIn.clearProblem();
          }}
          code={code}
          onCode={setCode}
          onComplete={(full) => {
            if (!signIn.pending) void send(full);
          }}
          error={missing}
          field={field}
        />
        <Button type="submit" intent="primary" size="lg" pending={signIn.pending}>
          {buttons.signIn}
        </Button>
        <Button intent="ghost" onClick={signIn.restart}>
          Start again
        </Button>
      </form>
    </Frame>
  );
}
