import { useRef, useState } from 'react';
import { type TwoFactorSetup, useStartTwoFactor, useVerifyTwoFactor } from '@/api/account';
import { CodeInput } from '@/ui/code-input';
import { CopyIcon } from '@/ui/copy-button';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { PasswordInput } from '@/ui/password-input';
import { toast } from '@/ui/toast-store';
import { CodesDialog } from './codes-dialog';
import { FormProblem, useProblems } from './use-problems';

/** Turns two-factor on in three steps: the password, a code of the app, the recovery codes. */
export function EnableDialog({ onClose }: { onClose: () => void }) {
  const [setup, setSetup] = useState<TwoFactorSetup>();
  const [codes, setCodes] = useState<readonly string[]>();
  if (codes) {
    const done = () => {
      toast('Two-factor is on. The next sign-in asks for a code.');
      onClose();
    };
    return <CodesDialog title="Store the recovery codes" step="Step 3 of 3" codes={codes} onDone={done} />;
  }
  if (setup) return <ScanStep setup={setup} onCodes={setCodes} onClose={onClose} />;
  return <PasswordStep onSetup={setSetup} onClose={onClose} />;
}

function PasswordStep({ onSetup, onClose }: { onSetup: (setup: TwoFactorSetup) => void; onClose: () => void }) {
  const [password, setPassword] = useState('');
  const { problems, box, found, failed } = useProblems(['password']);
  const start = useStartTwoFactor();
  const submit = () => {
    if (!found({ password: password ? '' : 'Enter your password.' })) return;
    start.mutate(password, { onSuccess: onSetup, onError: failed });
  };
  return (
    <FormDialog
      open
      onClose={onClose}
      size="sm"
      title="Turn on two-factor"
      description="Step 1 of 3. You need a phone or a password manager with an authenticator."
      submit="Continue"
      pending={start.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        <Field label="Password" required error={problems.password}>
          {(ids) => (
            <PasswordInput
              {...ids}
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(e) => setPassword(e.target.value)}
            />
          )}
        </Field>
      </div>
    </FormDialog>
  );
}

interface ScanProps {
  setup: TwoFactorSetup;
  onCodes: (codes: readonly string[]) => void;
  onClose: () => void;
}

function ScanStep({ setup, onCodes, onClose }: ScanProps) {
  const [code, setCode] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const { problems, box, found, failed } = useProblems(['code']);
  const verify = useVerifyTwoFactor();
  const send = (text: string) => {
    if (verify.isPending || !found({ code: text ? '' : 'Enter the code that the app shows.' })) return;
    verify.mutate(text, {
      onSuccess: ({ recovery_codes }) => onCodes(recovery_codes),
      onError: (error) => {
        setCode('');
        failed(error);
        field.current?.focus();
      },
    });
  };
  return (
    <FormDialog
      open
      onClose={onClose}
      title="Add this server to the app"
      description="Step 2 of 3. With the first right code two-factor is on, and every other session ends."
      submit="Turn on"
      pending={verify.isPending}
      onSubmit={() => send(code)}
    >
      <div ref={box} className="grid gap-4 sm:grid-cols-[11rem_minmax(0,1fr)]">
        <QrCode svg={setup.qr_svg} />
        <div className="grid content-start gap-4">
          <Secret setup={setup} />
          <FormProblem problems={problems} />
          <Field label="Code" required error={problems.code} hint="The six digits that the app shows now.">
            {(ids) => <CodeInput {...ids} ref={field} name="code" value={code} onChange={setCode} onComplete={send} />}
          </Field>
        </div>
      </div>
    </FormDialog>
  );
}

/** As an image: its markup never becomes a part of the page. White, or cameras do not read it in the dark theme. */
function QrCode({ svg }: { svg: string }) {
  return (
    <img
      src={`data:image/svg+xml,${encodeURIComponent(svg)}`}
      alt="QR code with the secret beside it"
      width={176}
      height={176}
      className="size-44 rounded-md border border-line bg-[#fff] p-2 max-sm:justify-self-center"
    />
  );
}

/** For who cannot scan: the same secret as text, in groups that one can read out. */
function Secret({ setup }: { setup: TwoFactorSetup }) {
  return (
    <div className="grid gap-1.5 text-control">
      <p>Scan the code with the app, or type this secret into it.</p>
      <div className="flex items-center rounded-md border border-line bg-bg pl-2.5">
        <code className="min-w-0 flex-1 py-1.5 font-mono text-label break-words">
          {setup.secret.match(/.{1,4}/g)?.join(' ')}
        </code>
        <CopyIcon label="Copy secret" text={setup.secret} />
      </div>
      <a
        href={setup.otpauth_url}
        className="min-h-6 justify-self-start rounded text-label text-link underline-offset-2 hover:underline"
      >
        Open in an app on this device
      </a>
    </div>
  );
}
