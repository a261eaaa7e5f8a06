import { Plus, Search } from 'lucide-react';
import { type RefObject, useMemo } from 'react';
import { type Action, useActions } from '@/app/actions';

interface Given {
  /** In the singular: "tool". */
  noun: string;
  /** Holds the search box and the table. */
  list: RefObject<HTMLElement | null>;
  /** Must be stable. */
  create: () => void;
  synonyms?: string;
}

/** The keys of a list: `/` searches, `c` creates, `j` and `k` go to the first row; from there the table itself knows them. */
export function useListActions({ noun, list, create, synonyms }: Given): void {
  const actions = useMemo<Action[]>(() => {
    const focus = (what: string) => () => list.current?.querySelector<HTMLElement>(what)?.focus();
    return [
      { id: `${noun} create`, label: `Create ${noun}`, icon: Plus, keys: 'c', synonyms, run: create },
      { id: `${noun} search`, label: `Search ${noun}s`, icon: Search, keys: '/', run: focus('input[type="search"]') },
      ...['j', 'k'].map((keys) => ({
        id: `${noun} rows ${keys}`,
        label: 'Move between rows',
        keys,
        hidden: true,
        run: focus('[data-row-link] a'),
      })),
    ];
  }, [noun, list, create, synonyms]);
  useActions('page', actions);
}
