import { useEffect, useState } from 'react';

/** The selected rows by id. What is gone, or on another page, is not selected any more. */
export function useSelection(
  items: readonly { id: string }[] | undefined,
): [ReadonlySet<string>, (next: ReadonlySet<string>) => void] {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    if (!items) return;
    const here = new Set(items.map((item) => item.id));
    setSelected((old) => ([...old].every((id) => here.has(id)) ? old : new Set([...old].filter((id) => here.has(id)))));
  }, [items]);
  return [selected, setSelected];
}
