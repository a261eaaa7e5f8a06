import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Rocket, Square } from 'lucide-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import { deployDiffQuery, deployStatusQuery } from '@/api/queries';
import { useActions } from '@/app/actions';
import { Page } from '@/components/page';
import { QueryState } from '@/components/query-state';
import { plural } from '@/lib/format';
import { paths } from '@/lib/paths';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { SkeletonRows } from '@/ui/skeleton';
import { Tabs } from '@/ui/tabs';
import { Changes } from './changes';
import { DeployLog } from './deploy-log';
import { Progress } from './progress';
import { Revisions } from './revisions';
import { RunningCard } from './running-card';
import { StartCard } from './start-card';
import { useLastDeploy } from './use-last-deploy';
import { useStart } from './use-start';

const StopDialog = lazy(() => import('./stop-dialog').then((m) => ({ default: m.StopDialog })));
const route = getRouteApi(paths.deploy);

export default function DeployPage() {
  const { tab = 'changes', page = 1 } = route.useSearch();
  const navigate = useNavigate();
  const status = useQuery(deployStatusQuery);
  const diff = useQuery(deployDiffQuery);
  // What stands in the way of a deploy is listed with the changes.
  const start = useStart(() => void navigate({ to: paths.deploy, replace: true }));
  const [stopping, setStopping] = useState(false);
  const last = useLastDeploy(status.data);

  const warnings = diff.data?.problems.filter((p) => p.severity === 'warning').length ?? 0;
  const count = status.data?.undeployed_changes ?? 0;
  const live = status.data?.revision ?? 0;
  const busy = start.pending || status.data?.status === 'deploying';
  const { run } = start;
  useActions(
    'page',
    useMemo(() => [{ id: 'deploy now', label: 'Deploy now', icon: Rocket, keys: 'mod+enter', run }], [run]),
  );

  return (
    <Page
      title="Deploy"
      description="Publishes what is saved. The running revision serves calls until the new one is healthy."
      actions={
        <>
          {live > 0 && (
            <Button intent="danger" onClick={() => setStopping(true)}>
              <Square aria-hidden />
              Stop server
            </Button>
          )}
          <Button
            intent={count > 0 || live === 0 ? 'primary' : 'outline'}
            pending={busy}
            className="max-sm:flex-1"
            onClick={run}
          >
            <Rocket aria-hidden />
            {count > 0 ? `Deploy ${plural(count, 'change')}` : 'Deploy'}
          </Button>
        </>
      }
    >
      <div className="grid grid-cols-1 gap-4">
        {start.problem && (
          <div role="alert">
            <Notice tone="bad" title="The deploy did not start">
              {start.problem}
            </Notice>
          </div>
        )}
        <QueryState query={status} what="the server status" skeleton={<SkeletonRows rows={3} />}>
          {(data) => (
            <>
              <RunningCard status={data} />
              <Progress status={data} showLast={last.fresh} onDismiss={last.dismiss} />
            </>
          )}
        </QueryState>
        <Tabs
          label="Deploy"
          value={tab}
          onChange={(next) =>
            void navigate({ to: paths.deploy, search: { tab: next === 'changes' ? undefined : next }, replace: true })
          }
          panelClass="pt-4"
          items={[
            {
              value: 'changes',
              label: 'Changes',
              count,
              content: (
                <div className="grid grid-cols-1 gap-4">
                  {count > 0 && !busy && <StartCard start={start} warnings={warnings} />}
                  <Changes query={diff} live={live > 0} />
                </div>
              ),
            },
            { value: 'logs', label: 'Logs', content: <DeployLog /> },
            {
              value: 'revisions',
              label: 'Revisions',
              content: (
                <Revisions
                  page={page}
                  onPage={(next) =>
                    void navigate({ to: paths.deploy, search: { tab: 'revisions', page: next }, replace: true })
                  }
                  live={live}
                />
              ),
            },
          ]}
        />
      </div>
      <Suspense>{stopping && <StopDialog onClose={() => setStopping(false)} />}</Suspense>
    </Page>
  );
}
