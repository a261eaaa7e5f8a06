import { useEffect } from 'react';
import type { components } from '@/api/schema';
import { announce } from '@/lib/announce';
import { formatDuration, formatSpan } from '@/lib/format';
import { Card } from '@/ui/card';
import { Notice } from '@/ui/notice';
import { StepList } from '@/ui/step-list';
import { stepWord } from './words';

type Status = components['schemas']['DeployStatus'];

/** The deploy that runs now, step by step, or what became of the last one that failed. */
export function Progress({ status }: { status: Status }) {
  const { deploying, last_failed: failed } = status;
  const running = deploying?.steps.find((s) => s.state === 'running');
  const said = running ? `${stepWord(running.name)}.` : '';
  useEffect(() => {
    if (said) announce(said);
  }, [said]);

  if (deploying) {
    return (
      <Card title={`Deploying revision ${deploying.revision}`} meta={formatSpan(deploying.elapsed_ms)}>
        <StepList
          label="Deploy progress"
          steps={deploying.steps.map((s) => ({
            name: stepWord(s.name),
            state: s.state,
            time: s.ms > 0 ? formatDuration(s.ms) : undefined,
            detail: s.detail,
          }))}
        />
      </Card>
    );
  }
  if (!failed || failed.revision < status.revision) return null;
  return (
    <Notice tone="bad" title={`Revision ${failed.revision} was not deployed`}>
      <p className="break-words">{failed.error}</p>
      {status.revision > 0 && <p className="text-muted">Revision {status.revision} still serves every call.</p>}
    </Notice>
  );
}
