import { useStore } from '@/lib/store';
import { Dialog } from '@/ui/dialog';
import { Kbd } from '@/ui/kbd';
import { Switch } from '@/ui/switch';
import { type Action, actionsOf, currentActions } from './actions';
import { setSingleKeys, singleKeys } from './use-keyboard';

const lists = [
  ['j', 'Next row'],
  ['k', 'Previous row'],
  ['enter', 'Open row'],
  ['x', 'Select row'],
] as const;

/** The keys that work on this page, made from the actions that are registered: it cannot be out of date. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const all = useStore(currentActions);
  const on = useStore(singleKeys);
  // What is hidden is a key of lists, which have their own section.
  const page = actionsOf('page', all).filter((a) => a.keys && !a.hidden);
  const everywhere = actionsOf('everywhere', all).filter((a) => a.keys);
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts">
      <div className="grid gap-5 pb-4">
        <div className="flex items-center gap-3 rounded-md border border-line px-3 py-2 text-control">
          <span className="flex-1">
            Shortcuts of one key
            <span className="block text-label text-muted">
              Off while you type, and when you dictate to this computer.
            </span>
          </span>
          <Switch label="Shortcuts of one key" checked={on} onChange={setSingleKeys} />
        </div>
        {page.length > 0 && <Section title="This page" rows={page.map(row)} />}
        <Section title="Everywhere" rows={everywhere.map(row)} />
        <Section title="In lists" rows={lists.map(([keys, label]) => ({ keys, label }))} />
      </div>
    </Dialog>
  );
}

const row = (action: Action) => ({ keys: action.keys ?? '', label: action.label });

function Section({ title, rows }: { title: string; rows: readonly { keys: string; label: string }[] }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-1 text-label font-medium text-muted">{title}</h3>
      <dl className="grid gap-x-8 sm:grid-cols-2">
        {rows.map((r) => (
          <div key={r.keys + r.label} className="flex min-h-8 items-center gap-3 text-control">
            <dt className="flex-1">{r.label}</dt>
            <dd>
              <Kbd keys={r.keys} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
