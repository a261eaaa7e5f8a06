import type { components } from '@/api/schema';
import { Facts } from './facts';
import { Layers } from './layers';
import { ProcessCard, ProcessSection } from './process-card';
import { kernelLead, verifiedFacts } from './verified';

/** How the studio confined itself: it holds the keys and the network, so what it does not need is closed to it too. */
export function ParentCard({ parent }: { parent: components['schemas']['ParentState'] }) {
  const short = parent.layers.filter((layer) => layer.state !== 'enforced').length;
  return (
    <ProcessCard
      title="The studio itself"
      pid={parent.pid}
      meta={`${parent.layers.length - short} of ${parent.layers.length} layers enforced`}
    >
      <ProcessSection title="Layers">
        <Layers layers={parent.layers} />
      </ProcessSection>
      <ProcessSection title="What the kernel says" lead={kernelLead}>
        <Facts rows={verifiedFacts(parent.verified)} label="The studio, verified" />
      </ProcessSection>
      {parent.starter && (
        <ProcessSection title="The process that starts the others">
          <Facts rows={verifiedFacts(parent.starter)} label="The starter, verified" />
        </ProcessSection>
      )}
    </ProcessCard>
  );
}
