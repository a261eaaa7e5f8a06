import { useState } from 'react';
import type { components } from '@/api/schema';

/** Whether a deploy ended since the page was opened, or since the one before was dismissed. Some are over before anybody could see them run. */
export function useLastDeploy(status: components['schemas']['DeployStatus'] | undefined) {
  const ended = status && (status.last_deploy?.finished_at ?? '');
  const [known, setKnown] = useState(ended);
  if (known === undefined && ended !== undefined) setKnown(ended);
  return { fresh: !!ended && known !== undefined && ended !== known, dismiss: () => setKnown(ended) };
}
