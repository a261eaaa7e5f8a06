import type { ReactNode } from 'react';
import { Time } from '@/components/time';
import { formatCount } from '@/lib/format';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { exitText, levels, type Sandbox } from './words';

/** The level in a sentence, and what happened since the start. */
export function SummaryCard({ sandbox }: { sandbox: Sandbox }) {
  const { word, tone, text } = levels[sandbox.level];
  const dials = sandbox.children.reduce(
    (sum, { broker }) => ({ allowed: sum.allowed + broker.allowed, denied: sum.denied + broker.denied }),
    { allowed: 0, denied: 0 },
  );
  const figures: [string, ReactNode][] = [
    ['Connections opened', formatCount(dials.allowed)],
    ['Connections refused', formatCount(dials.denied)],
    ['Restarts', formatCount(sandbox.restarts)],
    ['Processes killed', formatCount(sandbox.events.length)],
  ];
  return (
    <Card title="Sandbox" actions={<Chip tone={tone}>{word}</Chip>} flush>
      <div className="grid gap-2 px-4 py-3 text-control">
        <p>Queries and transforms run in processes without network, files or secrets of their own.</p>
        <p className="text-muted">{text}</p>
        {!sandbox.minimum_met && (
          <p className="text-bad">
            The mandatory layers do not hold: system-call filter, no new privileges, no capabilities, not root,
            self-test.
          </p>
        )}
      </div>
      <dl className="grid grid-cols-2 border-t border-line">
        {figures.map(([name, value], n) => (
          <div key={name} className={`px-4 py-2.5 ${n % 2 ? 'border-l' : ''} ${n > 1 ? 'border-t' : ''} border-line`}>
            <dt className="text-label text-muted">{name}</dt>
            <dd className="text-section font-semibold tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <div className="grid gap-1 border-t border-line px-4 py-2.5 text-control">
        <p>
          {sandbox.last_exit ? (
            <>
              Last unexpected end <Time at={sandbox.last_exit.at} />. {exitText(sandbox.last_exit)}.
            </>
          ) : (
            'No process ended unasked since the studio started.'
          )}
        </p>
        <p className="text-label text-muted">
          Connections are those of the processes that run now; restarts count since this revision went live.
        </p>
      </div>
    </Card>
  );
}
