import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { components } from '@/api/schema';
import { Time } from '@/components/time';
import { plural, sentence } from '@/lib/format';
import { paths } from '@/lib/paths';
import { states } from '@/lib/words';
import { CopyIcon } from '@/ui/copy-button';
import { Notice } from '@/ui/notice';
import { State } from '@/ui/state';

type Status = components['schemas']['DeployStatus'];

export function RunningCard({ status }: { status: Status }) {
  const live = status.revision > 0;
  return (
    <section aria-label="Running revision" className="rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2.5">
        <h2 className="text-section font-semibold tabular-nums">
          {live ? `Revision ${status.revision}` : 'Nothing is live'}
        </h2>
        {live ? <State kind="live">{states.live}</State> : <State kind="draft">{states.notRunning}</State>}
        {status.endpoint && (
          <span className="ml-auto flex min-w-0 items-center gap-1 max-sm:ml-0 max-sm:w-full">
            <code className="font-mono text-label break-all text-muted">{status.endpoint}</code>
            <CopyIcon label="Copy address" text={status.endpoint} />
          </span>
        )}
      </div>
      {live && <Facts status={status} />}
      {!live && !status.error && (
        <p className="px-4 py-3 text-control text-muted">Clients cannot call anything until the first deploy.</p>
      )}
      {status.error && (
        <div className="p-3">
          <Notice tone="bad">{status.error}</Notice>
        </div>
      )}
    </section>
  );
}

function Facts({ status }: { status: Status }) {
  const serves = [plural(status.tools, 'tool'), plural(status.resources, 'resource'), plural(status.prompts, 'prompt')];
  const facts: [string, ReactNode][] = [
    ['Live since', status.started_at ? <Time key="since" at={status.started_at} look="moment" /> : '–'],
    ['Deployed by', status.author?.name || status.author?.kind || '–'],
    ['Serves', serves.join(', ')],
    ['Sandbox', <SandboxLevel key="sandbox" level={status.sandbox_level} />],
    ['Restarts', status.restarts],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 py-3 sm:grid-cols-3 lg:grid-cols-5">
      {facts.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-label text-muted">{name}</dt>
          <dd className="text-control break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The level, on the way to what it is made of. */
function SandboxLevel({ level }: { level: string }) {
  if (!level) return '–';
  return (
    <Link to={paths.security} search={{ tab: 'sandbox' }} className="rounded text-link hover:underline">
      {sentence(level)}
    </Link>
  );
}
