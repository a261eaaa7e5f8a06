import { X } from 'lucide-react';
import { useEffect } from 'react';
import type { components } from '@/api/schema';
import { announce } from '@/lib/announce';
import { formatDuration, formatSpan, sentence } from '@/lib/format';
import { buttons } from '@/lib/words';
import { Card } from '@/ui/card';
import { IconButton } from '@/ui/icon-button';
import { Notice } from '@/ui/notice';
import { StepList } from '@/ui/step-list';
import { stepWord } from './words';

type Status = components['schemas']['DeployStatus'];
type Failed = NonNullable<Status['last_failed']>;
type Steps = components['schemas']['RunningDeploy']['steps'];

interface ProgressProps {
  status: Status;
  /** A deploy ended while the page was open: how it went stays until it is dismissed. */
  showLast: boolean;
  onDismiss: () => void;
}

/** The deploy that runs now, or the last one that ended, step by step, and why the last one failed. */
export function Progress({ status, showLast, onDismiss }: ProgressProps) {
  const { deploying, last_failed: failed } = status;
  const running = deploying?.steps.find((s) => s.state === 'running');
  const ended = showLast ? status.last_deploy : null;
  const outcome = ended?.succeeded ? `Revision ${ended.revision} went live` : notDeployed(ended?.revision ?? 0);
  const said = running ? `${stepWord(running.name)}.` : ended && !deploying ? `${outcome}.` : '';
  useEffect(() => {
    if (said) announce(said);
  }, [said]);

  if (deploying) {
    return (
      <Card title={`Deploying revision ${deploying.revision}`} meta={formatSpan(deploying.elapsed_ms)}>
        <DeploySteps steps={deploying.steps} />
      </Card>
    );
  }
  const reason = failed && failed.revision >= status.revision && (
    <Failure status={status} failed={failed} titled={!ended} />
  );
  if (!ended) return reason;
  return (
    <Card
      title={outcome}
      meta={formatDuration(ended.elapsed_ms)}
      actions={<IconButton label={buttons.dismiss} icon={<X aria-hidden />} size="sm" onClick={onDismiss} />}
    >
      <div className="grid grid-cols-1 gap-4">
        {reason}
        {/* Why a step failed is said above it. */}
        <DeploySteps steps={ended.steps.map((s) => (s.state === 'failed' && reason ? { ...s, detail: '' } : s))} />
      </div>
    </Card>
  );
}

const notDeployed = (revision: number): string => `Revision ${revision} was not deployed`;

/** Why the last deploy failed, and what serves meanwhile. */
function Failure({ status, failed, titled }: { status: Status; failed: Failed; titled: boolean }) {
  return (
    <Notice tone="bad" title={titled ? notDeployed(failed.revision) : undefined}>
      <p className="break-words">{failed.error}</p>
      {status.revision > 0 && <p className="text-muted">Revision {status.revision} still serves every call.</p>}
    </Notice>
  );
}

/** In milliseconds: a time that reads as 0 says nothing. */
const leastShown = 0.1;

function DeploySteps({ steps }: { steps: Steps }) {
  return (
    <div className="max-w-2xl">
      <StepList
        label="Deploy progress"
        steps={steps.map((s) => ({
          name: stepWord(s.name),
          state: s.state,
          time: s.ms >= leastShown ? formatDuration(s.ms) : undefined,
          detail: s.detail && sentence(s.detail),
        }))}
      />
    </div>
  );
}
