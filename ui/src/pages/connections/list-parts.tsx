import { Link } from '@tanstack/react-router';
import { Database, Plus } from 'lucide-react';
import { useSample } from '@/components/use-sample';
import { formatCount } from '@/lib/format';
import { paths } from '@/lib/paths';
import { buttonClass } from '@/ui/button';
import { Card } from '@/ui/card';
import { Chip } from '@/ui/chip';
import { EmptyState } from '@/ui/empty-state';

export function CreateLink() {
  return (
    <Link to={paths.connectionNew} className={buttonClass('primary', 'md', 'max-sm:flex-1')}>
      <Plus aria-hidden />
      Create connection
    </Link>
  );
}

export function NoConnections() {
  const sample = useSample();
  return (
    <Card label="No connections">
      <EmptyState
        icon={<Database aria-hidden />}
        title="No connections yet"
        actions={
          <>
            <CreateLink />
            {sample.button}
          </>
        }
      >
        <p>
          A connection says how to reach one database. Tools and resources run their SQL through it, read-only by
          default.
        </p>
        {sample.problem}
      </EmptyState>
    </Card>
  );
}

export function FailingChip({ count }: { count: number }) {
  return count > 0 ? <Chip tone="bad">{formatCount(count)} failing</Chip> : null;
}
