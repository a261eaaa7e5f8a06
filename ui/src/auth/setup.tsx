import { useEffect, useState } from 'react';
import { type AuthStatus, authStatus } from '@/api/auth';
import { authPaths } from '@/lib/paths';
import { useDelayed } from '@/lib/use-delayed';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { Loading, Skeleton } from '@/ui/skeleton';
import { Frame } from './frame';
import { problemText } from './problem';
import { SetupAccount } from './setup-account';
import { SetupKey } from './setup-key';
import { SetupStart } from './setup-start';

type Step = 'account' | 'key' | 'start';

/**
 * First run. The account is made at the end of the first step; the others belong to the new session, so a reload
 * goes on where it was: the step is in the address (never the setup code, which is removed from it at once).
 */
export function Setup({ code }: { code: string }) {
  const [status, setStatus] = useState<AuthStatus>();
  const [problem, setProblem] = useState('');
  const [step, setStep] = useState<Step>(stepOfAddress);
  const [attempt, setAttempt] = useState(0);
  const [asking, setAsking] = useState(true);
  const late = useDelayed(!status && asking, 150);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt asks again
  useEffect(() => {
    const stop = new AbortController();
    setAsking(true);
    authStatus(stop.signal).then(
      (answer) => {
        setAsking(false);
        setProblem('');
        setStatus(answer);
        if (answer.setup_required) setStep('account');
        else if (!answer.authenticated) location.replace(authPaths.login);
        else if (stepOfAddress() === 'account') location.replace('/');
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        setAsking(false);
        setProblem(problemText(error));
      },
    );
    return () => stop.abort();
  }, [attempt]);

  const go = (next: Step) => {
    history.pushState(null, '', `${authPaths.setup}?step=${next}`);
    setStep(next);
  };
  useEffect(() => {
    const back = () => setStep(stepOfAddress());
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);

  if (problem) {
    return (
      <Frame title="Set up Studio" lead="The server did not answer.">
        <div className="grid justify-items-start gap-4">
          <div role="alert">
            <Notice tone="bad">{problem}</Notice>
          </div>
          <Button intent="primary" pending={asking} onClick={() => setAttempt(attempt + 1)}>
            {buttons.retry}
          </Button>
        </div>
      </Frame>
    );
  }
  if (!status) return late ? <Waiting /> : null;

  // A key from the environment has its owner already: there is nothing to say about it.
  const withKey = status.key?.source !== 'environment';
  const steps: Step[] = withKey ? ['account', 'key', 'start'] : ['account', 'start'];
  const label = `Step ${Math.max(0, steps.indexOf(step)) + 1} of ${steps.length}`;
  if (status.setup_required && step === 'account') {
    const made = () => {
      setStatus({ ...status, setup_required: false, authenticated: true });
      go(withKey ? 'key' : 'start');
    };
    return <SetupAccount step={label} code={code} onDone={made} />;
  }
  if (step === 'key' && withKey)
    return <SetupKey step={label} path={status.key?.path ?? ''} onDone={() => go('start')} />;
  return <SetupStart step={label} onBack={withKey ? () => go('key') : undefined} />;
}

/** The shape of the first step, while the server is asked how far the setup is. */
function Waiting() {
  return (
    <Frame title="Set up Studio" lead="Asking the server how far it is.">
      <Loading label="Loading the setup" className="grid gap-5">
        {['name', 'password', 'code'].map((field) => (
          <div key={field} className="grid gap-1.5">
            <Skeleton className="h-3 w-24" />
            <Skeleton className="h-8 w-full" />
          </div>
        ))}
        <Skeleton className="h-8 w-36" />
      </Loading>
    </Frame>
  );
}

function stepOfAddress(): Step {
  const step = new URLSearchParams(location.search).get('step');
  return step === 'key' || step === 'start' ? step : 'account';
}
