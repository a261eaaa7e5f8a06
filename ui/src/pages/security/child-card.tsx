import { Time } from '@/components/time';
import { formatList } from '@/lib/format';
import { Chip } from '@/ui/chip';
import { Broker } from './broker';
import { type Fact, Facts } from './facts';
import { Layers } from './layers';
import { Memory } from './memory';
import { ProcessCard, ProcessSection } from './process-card';
import { kernelLead, verifiedFacts } from './verified';
import { type Child, childTitle, keepers, levels, sqliteModes } from './words';

/** One process inside the sandbox with everything that is known of it. */
export function ChildCard({ child, open }: { child: Child; open?: boolean }) {
  const { word, tone } = levels[child.level];
  return (
    <ProcessCard
      title={childTitle(child)}
      pid={child.pid}
      meta={
        <>
          started <Time at={child.started_at} />
        </>
      }
      chip={<Chip tone={tone}>{word}</Chip>}
      summary={<Memory memory={child.memory} />}
      open={open}
    >
      <Facts rows={limitsOf(child)} label="Limits and user" />
      <ProcessSection title="Layers">
        <Layers layers={child.layers} />
      </ProcessSection>
      <ProcessSection title="What the kernel says" lead={kernelLead}>
        {child.verified.problem ? (
          <p className="px-4 py-3 text-control text-bad">It could not be read: {child.verified.problem}</p>
        ) : (
          <Facts rows={verifiedFacts(child.verified)} label="Verified" />
        )}
      </ProcessSection>
      <ProcessSection
        title="Network, through the broker"
        lead="It has no network of its own. The broker is a part of the studio that opens connections for it, and only to these addresses."
      >
        <Broker child={child} />
      </ProcessSection>
    </ProcessCard>
  );
}

function limitsOf(child: Child): Fact[] {
  const { cpu } = child;
  const all = cpu.limit === 0;
  return [
    ['Processors', all ? 'all' : cpu.limit, all ? undefined : `held by ${formatList(keepers(cpu.enforced_by))}`],
    ['User', `uid ${child.uid}`, child.uid_shared ? "the studio's own user" : 'its own, of nobody else'],
    ['Further groups', child.groups.length === 0 ? 'none' : child.groups.join(', ')],
    ['SQLite', sqliteModes.get(child.sqlite_mode) ?? child.sqlite_mode],
  ];
}
