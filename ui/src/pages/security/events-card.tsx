import { Link } from '@tanstack/react-router';
import { Time } from '@/components/time';
import { paths } from '@/lib/paths';
import { Card } from '@/ui/card';
import { State } from '@/ui/state';
import { childTitle, eventTitles, type Sandbox } from './words';

/** Processes that were killed for what they did. */
export function EventsCard({ sandbox }: { sandbox: Sandbox }) {
  return (
    <Card title="Killed for what they did" meta="since the start" flush>
      {sandbox.events.length === 0 ? (
        <p className="px-4 py-3 text-control text-muted">
          None. A process is killed for a system call that it must not make, for messages to the broker that no honest
          process sends, and for more memory than its limit.
        </p>
      ) : (
        <>
          <p className="border-b border-line px-4 py-2.5 text-control text-muted">
            Another process takes over. One that you cannot explain may come from what a query returned: its last lines
            are in the{' '}
            <Link to={paths.deploy} search={{ tab: 'logs' }} className="rounded text-link underline underline-offset-2">
              log
            </Link>
            .
          </p>
          <ul className="divide-y divide-line">
            {sandbox.events.map((event) => (
              <li key={`${event.pid} ${event.at}`} className="grid gap-0.5 px-4 py-2.5">
                <div className="flex flex-wrap items-center justify-between gap-x-3">
                  <State kind="error">{eventTitles[event.kind]}</State>
                  <span className="text-label text-muted">
                    <Time at={event.at} />
                  </span>
                </div>
                <p className="text-label break-words text-muted">
                  {childTitle(event)}, process {event.pid}
                  {event.reason && `: ${event.reason}`}
                </p>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
