import { useState } from 'react';
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
  const [pending, setPending] = useState<'on' | 'off' | 'delete'>();
  const run = async (which: 'on' | 'off' | 'delete', work: () => Promise<unknown>) => {
    if (pending) return;
    setPending(which);
    await work();
    setPending(undefined);
  };
  const anyOn = tools.some((t) => t.is_enabled);
  const anyOff = tools.some((t) => !t.is_enabled);
  return (
    <SelectionBar count={tools.length} noun="tool" onClear={onDone}>
      {anyOff && (
        <Button size="sm" pending={pending === 'on'} onClick={() => void run('on', () => enable(tools, true))}>
          Enable
        </Button>
      )}
      {anyOn && (
        <Button size="sm" pending={pending === 'off'} onClick={() => void run('off', () => enable(tools, false))}>
          Disable
        </Button>
      )}
      <Button
        size="sm"
        intent="danger"
        pending={pending === 'delete'}
        onClick={() => void run('delete', () => remove(tools).then(onDone))}
      >
        {buttons.delete}
      </Button>
    </SelectionBar>
  );
}
