import { plural } from '@/lib/format';
import { Button } from '@/ui/button';
import type { Tool } from './api';
import { useDeleteWithUndo } from './use-delete';
import { useEnable } from './use-enable';

/** What can be done with the selected tools together. */
export function BatchBar({ tools, onDone }: { tools: readonly Tool[]; onDone: () => void }) {
  const enable = useEnable();
  const remove = useDeleteWithUndo();
  const deleteAll = async () => {
    await remove(tools);
    onDone();
  };
  const anyOn = tools.some((t) => t.is_enabled);
  const anyOff = tools.some((t) => !t.is_enabled);
  return (
    <section
      aria-label="Selected tools"
      className="flex flex-wrap items-center gap-2 rounded-lg border border-accent/40 bg-accent-soft px-4 py-1.5 text-control"
    >
      <span className="mr-auto font-medium tabular-nums">{plural(tools.length, 'tool')} selected</span>
      {anyOff && (
        <Button size="sm" onClick={() => void enable(tools, true)}>
          Enable
        </Button>
      )}
      {anyOn && (
        <Button size="sm" onClick={() => void enable(tools, false)}>
          Disable
        </Button>
      )}
      <Button size="sm" intent="danger" onClick={() => void deleteAll()}>
        Delete
      </Button>
      <Button size="sm" intent="ghost" onClick={onDone}>
        Clear selection
      </Button>
    </section>
  );
}
