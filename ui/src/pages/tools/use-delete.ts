import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { describe } from '@/api/errors';
import { plural } from '@/lib/format';
import { buttons } from '@/lib/words';
import { toast } from '@/ui/toast-store';
import { type Tool, toolQuery, useCreateTool, useDeleteTool } from './api';
import { fromTool, toDraft } from './form';

/**
 * Deletes tools at once and offers to undo it: what is deployed does not change, so nobody is affected yet. Undo
 * makes them anew, with new histories. Gives those that are gone.
 */
export function useDeleteWithUndo(): (tools: readonly Tool[]) => Promise<readonly Tool[]> {
  const client = useQueryClient();
  const { mutateAsync: remove } = useDeleteTool();
  const { mutateAsync: create } = useCreateTool();
  return useCallback(
    async (tools) => {
      const gone: Tool[] = [];
      for (const tool of tools) {
        try {
          await remove(tool.id);
          client.removeQueries({ queryKey: toolQuery(tool.id).queryKey });
          gone.push(tool);
        } catch (error) {
          toast(`${tool.name} was not deleted. ${describe(error).cause}`, { tone: 'warn' });
        }
      }
      const undo = async () => {
        for (const tool of gone) {
          try {
            await create(toDraft(fromTool(tool)));
          } catch (error) {
            toast(`${tool.name} could not be brought back. ${describe(error).cause}`, { tone: 'warn' });
            return;
          }
        }
        toast(gone.length === 1 ? `${gone[0]?.name} is back.` : `${plural(gone.length, 'tool')} are back.`);
      };
      if (gone.length === 0) return gone;
      const what = gone.length === 1 ? gone[0]?.name : plural(gone.length, 'tool');
      toast(`Deleted ${what}.`, { action: { label: buttons.undo, run: () => void undo() } });
      return gone;
    },
    [client, remove, create],
  );
}
