import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { describe } from '@/api/errors';
import { plural } from '@/lib/format';
import { buttons, states } from '@/lib/words';
import { toast } from '@/ui/toast-store';
import { type Tool, useUpdateTool } from './api';

/** Switches tools on or off, shown at once and taken back for those that failed. It can be undone. */
export function useEnable(): (tools: readonly Tool[], on: boolean) => Promise<void> {
  const client = useQueryClient();
  const { mutateAsync: update } = useUpdateTool();
  return useCallback(
    async (tools, on) => {
      const set = async (list: readonly Tool[], enabled: boolean): Promise<Tool[]> => {
        const changed: Tool[] = [];
        for (const tool of list) {
          try {
            const patch = { is_enabled: enabled };
            changed.push(await update({ id: tool.id, version: tool.version, patch }));
          } catch (error) {
            const verb = enabled ? 'enabled' : 'disabled';
            toast(`${tool.name} was not ${verb}. ${describe(error).cause}`, { tone: 'warn' });
          }
        }
        return changed;
      };
      const wanted = tools.filter((t) => t.is_enabled !== on);
      show(client, wanted, on);
      const changed = await set(wanted, on);
      if (changed.length < wanted.length) await client.invalidateQueries({ queryKey: ['tools'] });
      if (changed.length === 0) return;
      const what = changed.length === 1 ? changed[0]?.name : plural(changed.length, 'tool');
      const undo = { label: buttons.undo, run: () => void set(changed, !on) };
      toast(`${on ? states.enabled : states.disabled} ${what}. Clients see it after the next deploy.`, {
        action: undo,
      });
    },
    [client, update],
  );
}

/** Shows the new state in every list before the server has answered. */
function show(client: ReturnType<typeof useQueryClient>, tools: readonly Tool[], on: boolean): void {
  const ids = new Set(tools.map((t) => t.id));
  client.setQueriesData<{ items: Tool[]; total: number }>(
    { queryKey: ['tools', 'list'] },
    (page) => page && { ...page, items: page.items.map((t) => (ids.has(t.id) ? { ...t, is_enabled: on } : t)) },
  );
}
