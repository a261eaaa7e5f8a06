import { useQuery } from '@tanstack/react-query';
import { sandboxQuery } from '@/api/queries';
import { QueryState } from '@/components/query-state';
import { Card } from '@/ui/card';
import { Notice } from '@/ui/notice';
import { Skeleton, SkeletonRows } from '@/ui/skeleton';
import { ChildCard } from './child-card';
import { EventsCard } from './events-card';
import { ParentCard } from './parent-card';
import { SummaryCard } from './summary-card';
import { type Child, childTitle, type Sandbox } from './words';

/** Memory and counts move without an event. */
const renewEvery = 5_000;

/** The wall around queries, transforms and drivers: what holds, what was refused, and what it is not for. */
export function SandboxTab() {
  const sandbox = useQuery({ ...sandboxQuery, refetchInterval: renewEvery });
  return (
    <QueryState query={sandbox} what="the sandbox" skeleton={<SandboxSkeleton />}>
      {(data) => (
        <div className="grid grid-cols-1 gap-4">
          <Warnings sandbox={data} />
          {/* In the order of reading, also on a phone; where there is room, what is short stands beside what is long. */}
          <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem] xl:grid-rows-[auto_1fr]">
            <div className="min-w-0 xl:col-start-2">
              <SummaryCard sandbox={data} />
            </div>
            <div className="grid min-w-0 grid-cols-1 gap-4 xl:col-start-1 xl:row-span-2 xl:row-start-1">
              <Children sandbox={data} />
              {data.parent && <ParentCard parent={data.parent} />}
            </div>
            <div className="grid min-w-0 grid-cols-1 gap-4 xl:col-start-2">
              <EventsCard sandbox={data} />
              <LimitsOfIt />
            </div>
          </div>
        </div>
      )}
    </QueryState>
  );
}

function Warnings({ sandbox }: { sandbox: Sandbox }) {
  return (
    <>
      {sandbox.problem && (
        <Notice tone="bad" title="No process can be started inside the sandbox">
          {sandbox.problem}
        </Notice>
      )}
      {sandbox.mode === 'degraded' && (
        <Notice tone="warn" title="STUDIO_SANDBOX=degraded">
          Processes start even when the mandatory layers do not hold. Set it to enforce once they do.
        </Notice>
      )}
    </>
  );
}

const order: readonly Child['role'][] = ['live', 'candidate', 'draining', 'workbench', 'probe'];

function Children({ sandbox }: { sandbox: Sandbox }) {
  const children = sandbox.children.toSorted((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  if (children.length === 0 && sandbox.probe) {
    return (
      <>
        <Notice tone="info">
          Nothing runs now. A short-lived process was started to see what the sandbox is like on this machine.
        </Notice>
        <ChildCard child={sandbox.probe} open />
      </>
    );
  }
  if (children.length === 0) {
    return (
      <Card label="Processes">
        <p className="text-control text-muted">
          No process runs inside the sandbox now. A deploy starts one, and so do a connection test and a preview.
        </p>
      </Card>
    );
  }
  return children.map((child, n) => (
    <ChildCard key={`${child.pid} ${childTitle(child)}`} child={child} open={n === 0} />
  ));
}

/** An honest note: what the wall cannot do belongs beside what it does. */
function LimitsOfIt() {
  return (
    <Card title="What it does not restrict">
      <ul className="grid list-disc gap-2 pl-4 text-control text-muted">
        <li>
          What the database does for its user: <code className="font-mono text-label">COPY … TO PROGRAM</code>,{' '}
          <code className="font-mono text-label">dblink</code>, <code className="font-mono text-label">url()</code>,{' '}
          <code className="font-mono text-label">xp_cmdshell</code>. Give each connection a user that may only read what
          its tools need.
        </li>
        <li>What a tool returns to a client that may call it: that is up to tokens and to the SQL.</li>
        <li>A hole in the kernel, in a system call that the filter has to allow.</li>
      </ul>
    </Card>
  );
}

function SandboxSkeleton() {
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
      <Card title="Live server" flush>
        <SkeletonRows rows={8} columns={2} />
      </Card>
      <Card title="Sandbox">
        <div className="grid gap-3">
          <Skeleton className="h-4 w-full" />
          <Skeleton className="h-4 w-4/5" />
          <Skeleton className="h-12 w-full" />
        </div>
      </Card>
    </div>
  );
}
