import { Time } from '@/components/time';
import { formatCount } from '@/lib/format';
import { Notice } from '@/ui/notice';
import type { Child } from './words';

/** What the process may dial, and what it tried. */
export function Broker({ child }: { child: Child }) {
  const { broker, allowlist } = child;
  const figures: [string, number][] = [
    ['Opened', broker.allowed],
    ['Refused', broker.denied],
    ['Not reached', broker.failed],
    ['Broken messages', broker.abuse],
  ];
  const names = new Map(allowlist.map((target) => [target.connection_id, target.connection]));
  return (
    <div className="grid gap-3 px-4 py-3">
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt className="text-label text-muted">{name}</dt>
            <dd className="text-control tabular-nums">{formatCount(value)}</dd>
          </div>
        ))}
      </dl>
      {broker.abuse > 0 && (
        <Notice tone="warn">
          It sent the broker messages that no honest process sends. Ten of them end it: something in it may have been
          taken over.
        </Notice>
      )}
      <div>
        <p className="text-label text-muted">Addresses it may reach</p>
        {allowlist.length === 0 ? (
          <p className="text-control">None: it has no network at all.</p>
        ) : (
          <ul className="mt-1 grid gap-1">
            {allowlist.map((target) => (
              <li
                key={`${target.connection_id} ${target.host} ${target.port}`}
                className="flex flex-wrap gap-x-3 text-control"
              >
                <code className="font-mono text-label leading-[1.125rem] break-all">
                  {target.host}:{target.port}
                </code>
                <span className="text-muted">{target.connection}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      {broker.last_refusals.length > 0 && (
        <div>
          <p className="text-label text-muted">Refused last</p>
          <ul className="mt-1 grid gap-1">
            {broker.last_refusals.map((refusal) => (
              <li key={`${refusal.at} ${refusal.host} ${refusal.port}`} className="text-control">
                <code className="font-mono text-label break-all">
                  {refusal.host}:{refusal.port}
                </code>{' '}
                <span className="text-muted">
                  {refusal.reason}, for {names.get(refusal.connection) ?? 'an unknown connection'},{' '}
                  <Time at={refusal.at} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
