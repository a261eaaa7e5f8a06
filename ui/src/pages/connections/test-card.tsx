import type { ReactNode } from 'react';
import { formatDuration, formatSpan, sentence } from '@/lib/format';
import { useNow } from '@/lib/use-now';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { CopyIcon } from '@/ui/copy-button';
import { Notice } from '@/ui/notice';
import { State } from '@/ui/state';
import { type Step, StepList, type StepState } from '@/ui/step-list';
import { type TestResult, type TestState, total } from './use-test';
import type { Values } from './values';

const words: Readonly<Record<string, string>> = {
  resolve: 'Resolve',
  connect: 'Connect',
  tls: 'TLS',
  sign_in: 'Sign in',
  database: 'Select database',
  schema: 'Read schema',
  open: 'Open file',
};

/** The steps there will be, in their order. */
const stepsOf = (values: Values): readonly string[] =>
  values.db_type === 'sqlite' ? ['open', 'schema'] : ['resolve', 'connect', 'tls', 'sign_in', 'database', 'schema'];

interface Props {
  state: TestState;
  values: Values;
  /** The values now are no longer those that were tested. */
  outdated: boolean;
  onCancel: () => void;
  onHost: (host: string) => void;
  onTls: () => void;
}

export function TestCard({ state, values, outdated, onCancel, onHost, onTls }: Props) {
  if (state.phase === 'running') {
    return (
      <Card
        title="Test"
        actions={
          <Button size="sm" onClick={onCancel}>
            {buttons.cancel}
          </Button>
        }
      >
        <p className="mb-3 text-control text-muted">
          Testing for <Elapsed since={state.since} />. A server that does not answer takes up to 20 s.
        </p>
        <StepList
          label="Connection test"
          steps={stepsOf(values).map((name) => ({ name: word(name), state: 'waiting' }))}
        />
      </Card>
    );
  }
  if (state.phase === 'idle') {
    return (
      <Card title="Test">
        <p className="mb-3 text-control text-muted">
          Connects with the values of this page, saved or not, step by step.
        </p>
        <StepList
          label="Connection test"
          steps={stepsOf(values).map((name) => ({ name: word(name), state: 'waiting' }))}
        />
      </Card>
    );
  }
  const { result, unsaved } = state;
  const failed = result.steps.findIndex((s) => !s.ok);
  return (
    <Card
      title="Test"
      meta={unsaved ? 'unsaved values' : undefined}
      actions={
        result.success ? (
          <State kind="live">{`Succeeded in ${formatDuration(total(result))}`}</State>
        ) : (
          <State kind="error">{failed < 0 ? 'Failed' : `Failed at step ${failed + 1}`}</State>
        )
      }
    >
      <div className="grid gap-3">
        {outdated && <Notice tone="info">Values changed since this test.</Notice>}
        <StepList
          label="Connection test"
          steps={steps(result, state.values, (step) => (
            <Failure step={step} host={state.values.host} onHost={onHost} onTls={onTls} />
          ))}
        />
        {result.success && result.server_version && (
          <p className="border-t border-line pt-3 text-label break-words text-muted">
            Server version {result.server_version}
            {result.latency_ms > 0 && `, one query takes ${formatDuration(result.latency_ms)}`}
          </p>
        )}
        {result.warnings.map((warning) => (
          <Notice key={warning} tone="warn">
            {warning}
          </Notice>
        ))}
        {!result.success && (
          <p className="text-label text-muted">
            It can be saved as it is. Tools that use it fail until a test succeeds.
          </p>
        )}
      </div>
    </Card>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(1_000);
  return <span className="tabular-nums">{formatSpan(now.getTime() - since)}</span>;
}

const word = (name: string): string => words[name] ?? name;

type TestStep = TestResult['steps'][number];

/** What the server says of a TLS step that ended without TLS, as the mode allows (driver.NotEncrypted). */
const notEncrypted = 'not encrypted';

const isPlain = (step: TestStep): boolean => step.name === 'tls' && step.message === notEncrypted;

function stateOf(step: TestStep): StepState {
  if (!step.ok) return 'failed';
  return isPlain(step) ? 'warning' : 'done';
}

const found = (step: TestStep): string => (isPlain(step) ? sentence(step.message) : step.message);

/** The steps that ran, then those that were not reached. */
function steps(result: TestResult, values: Values, failure: (step: TestStep) => ReactNode): Step[] {
  const ran = result.steps.map(
    (s): Step => ({
      name: word(s.name),
      state: stateOf(s),
      time: s.ms > 0 ? formatDuration(s.ms) : undefined,
      detail: s.ok ? found(s) : failure(s),
    }),
  );
  if (result.success) return ran;
  const names = result.steps.map((s) => s.name);
  const rest = stepsOf(values).slice(Math.max(...names.map((name) => stepsOf(values).indexOf(name)), -1) + 1);
  return [...ran, ...rest.map((name): Step => ({ name: word(name), state: 'waiting' }))];
}

interface FailureProps {
  step: TestStep;
  host: string;
  onHost: (host: string) => void;
  onTls: () => void;
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i;
const hostOfContainer = 'host.docker.internal';

/** The server's message, its hint, and the next step as a button where there is one. */
function Failure({ step, host, onHost, onTls }: FailureProps) {
  const inContainer = loopback.test(host.trim()) && (step.name === 'connect' || step.name === 'resolve');
  return (
    <div className="mt-1 grid gap-2">
      {step.message && (
        <div className="flex items-start gap-1 rounded-md border border-line bg-bg py-0.5 pr-0.5 pl-2.5">
          <code className="min-w-0 flex-1 py-1 font-mono text-label break-words text-fg">{step.message}</code>
          <CopyIcon label="Copy message" text={step.message} />
        </div>
      )}
      {step.hint && <p className="text-fg">{step.hint}</p>}
      {/* The hint says when that helps. */}
      {inContainer && (
        <div>
          <Button size="sm" onClick={() => onHost(hostOfContainer)}>
            Use {hostOfContainer}
          </Button>
        </div>
      )}
      {step.name === 'tls' && (
        <div>
          <Button size="sm" onClick={onTls}>
            Change the TLS mode
          </Button>
        </div>
      )}
    </div>
  );
}
