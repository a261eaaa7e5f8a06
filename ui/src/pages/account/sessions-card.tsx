import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Session, useEndOtherSessions, useEndSession } from '@/api/account';
import { describe } from '@/api/errors';
import { sessionsQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Time } from '@/components/time';
import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { ConfirmDialog } from '@/ui/confirm-dialog';
import { SkeletonRows } from '@/ui/skeleton';
import { Tip } from '@/ui/tip';
import { toast } from '@/ui/toast-store';
import { readUserAgent } from './user-agent';

/** Where the account is signed in, and the way to end it. */
export function SessionsCard() {
  const sessions = useQuery(sessionsQuery);
  const [ending, setEnding] = useState<Session | 'others'>();
  const others = sessions.data?.items.filter((s) => !s.current).length ?? 0;
  return (
    <Card
      title="Sessions"
      id="sessions"
      meta={sessions.data ? String(sessions.data.total) : undefined}
      actions={
        others > 0 && (
          <Button size="sm" onClick={() => setEnding('others')}>
            End all others
          </Button>
        )
      }
      flush
    >
      <QueryState query={sessions} what="sessions" skeleton={<SkeletonRows rows={2} columns={3} />}>
        {(data) => (
          <ul className="divide-y divide-line">
            {data.items.map((session) => (
              <SessionRow key={session.id} session={session} onEnd={() => setEnding(session)} />
            ))}
          </ul>
        )}
      </QueryState>
      {ending && <EndDialog ending={ending} others={others} onClose={() => setEnding(undefined)} />}
    </Card>
  );
}

function SessionRow({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const program = readUserAgent(session.user_agent);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2 text-control font-medium">
          <Tip text={session.user_agent || 'No User-Agent was sent'}>
            <span tabIndex={0} className="rounded">
              {program}
            </span>
          </Tip>
          {session.current && <Chip tone="accent">This session</Chip>}
        </p>
        <p className="text-label text-muted">
          <span className="font-mono">{session.address}</span>, last seen <Time at={session.last_seen_at} />, signed in{' '}
          <Time at={session.created_at} look="moment" />
        </p>
      </div>
      <span className="text-label text-muted">
        ends <Time at={session.expires_at} />
      </span>
      {!session.current && (
        <Button size="sm" onClick={onEnd} aria-label={`End the session of ${program}`}>
          End
        </Button>
      )}
    </li>
  );
}

interface EndProps {
  /** One session, or all but this one. */
  ending: Session | 'others';
  others: number;
  onClose: () => void;
}

function EndDialog({ ending, others, onClose }: EndProps) {
  const end = useEndSession();
  const endOthers = useEndOtherSessions();
  if (ending === 'others') {
    return (
      <ConfirmDialog
        open
        onClose={onClose}
        title={`End ${plural(others, 'other session')}`}
        verb="End sessions"
        describeError={(error) => describe(error).cause}
        onConfirm={async () => {
          await endOthers.mutateAsync(undefined);
          toast('Every other session has ended.');
        }}
      >
        <p>Each has to sign in again. This session stays.</p>
      </ConfirmDialog>
    );
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={`End the session of ${readUserAgent(ending.user_agent)}`}
      verb="End session"
      describeError={(error) => describe(error).cause}
      onConfirm={async () => {
        await end.mutateAsync(ending.id);
        toast('The session has ended. Its next request is refused.');
      }}
    >
      <p>
        Signed in from {ending.address}, last seen <Time at={ending.last_seen_at} />. It has to sign in again; what was
        typed there stays on its page until then.
      </p>
    </ConfirmDialog>
  );
}
