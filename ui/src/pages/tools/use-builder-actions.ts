import { Copy, Play, Rocket, Save, Trash2 } from 'lucide-react';
import { useMemo, useRef } from 'react';
import { type Action, useActions } from '@/app/actions';

interface Commands {
  run: () => void;
  save: () => void;
  deploy: () => void;
  duplicate: () => void;
  remove: () => void;
}

/** Offers what the builder can do to the keyboard and the palette. */
export function useBuilderActions(saved: boolean, commands: Commands): void {
  const latest = useRef(commands);
  latest.current = commands;
  const actions = useMemo<Action[]>(() => {
    const own: Action[] = [
      { id: 'tool save', label: 'Save tool', icon: Save, keys: 'mod+s', run: () => latest.current.save() },
      { id: 'tool run', label: 'Run preview', icon: Play, keys: 'mod+enter', run: () => latest.current.run() },
      {
        id: 'tool deploy',
        label: 'Save and deploy tool',
        icon: Rocket,
        synonyms: 'publish live',
        run: () => latest.current.deploy(),
      },
    ];
    if (!saved) return own;
    return [
      ...own,
      { id: 'tool copy', label: 'Duplicate tool', icon: Copy, run: () => latest.current.duplicate() },
      { id: 'tool delete', label: 'Delete tool', icon: Trash2, synonyms: 'remove', run: () => latest.current.remove() },
    ];
  }, [saved]);
  useActions('page', actions);
}
