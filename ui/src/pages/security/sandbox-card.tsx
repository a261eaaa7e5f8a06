import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { sandboxQuery } from '@/api/queries';
import { plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { Notice } from '@/ui/notice';
import { Memory } from './memory';
import { levels } from './words';

/** The sandbox in short, for pages about the running server. It stays away until it is known, and when it cannot be. */
export function SandboxCard() {
  const { data } = useQuery({ ...sandboxQuery, refetchInterval: 30_000 });
  if (!data) return null;
  const { word, tone } = levels[data.level];
  const live = data.children.find((child) => child.role === 'live');
  return (
    <Card
      title="Sandbox"
      actions={
        <>
          <Chip tone={tone}>{word}</Chip>
          <Link to={paths.security} search={{ tab: 'sandbox' }} className={buttonClass('ghost', 'sm', '-mr-2.5')}>
            Details
          </Link>
        </>
      }
    >
      <div className="grid gap-3">
        {data.problem && <Notice tone="bad">{data.problem}</Notice>}
        <p className="text-control text-muted">
          Queries and transforms run without network, files or secrets of their own.
        </p>
        {live && <Memory memory={live.memory} />}
        {data.events.length > 0 && (
          <Notice tone="warn">{plural(data.events.length, 'process', 'processes')} killed for what they did.</Notice>
        )}
      </div>
    </Card>
  );
}
