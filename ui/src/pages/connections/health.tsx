import type { components } from '@/api/schema';
import { Time } from '@/components/time';
import { states } from '@/lib/words';
import { State } from '@/ui/state';

export type Health = components['schemas']['Health'];

const looks = {
  ok: ['live', 'Healthy'],
  failing: ['error', 'Failing'],
  unknown: ['draft', 'Not tested'],
  disabled: ['disabled', states.disabled],
} as const;

interface Props {
  /** Undefined while it is not known yet. */
  health: Health | undefined;
  /** A test of it runs now. */
  testing: boolean;
}

/** What the last test found, and when. */
export function HealthState({ health, testing }: Props) {
  if (testing) return <State kind="info">Testing…</State>;
  if (!health) return null;
  const [kind, word] = looks[health.status];
  return (
    <span className="flex items-center gap-2">
      <State kind={kind}>{word}</State>
      {health.checked_at && (
        <span className="text-label text-muted">
          <Time at={health.checked_at} />
        </span>
      )}
    </span>
  );
}
