import { SelectionBar } from '@/components/list/selection-bar';
import { buttons } from '@/lib/words';
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
    <SelectionBar count={tools.length} noun="tool" onClear={onDone}>
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
        {buttons.delete}
      </Button>
    </SelectionBar>
  );
}
