import { lineDiff } from '@/lib/line-diff';
import { Diff } from '@/ui/diff';
import type { FieldChange } from './fields';

/** What differs between two versions of an entity, field by field and line by line. */
export function FieldChanges({ changes }: { changes: readonly FieldChange[] }) {
  return (
    <ul className="grid gap-3">
      {changes.map((c) => (
        <li key={c.key} className="min-w-0">
          <p className="mb-1 text-label font-medium">{c.label}</p>
          <Diff label={`Difference in ${c.label}`} lines={lineDiff(c.before, c.after, 3)} />
        </li>
      ))}
    </ul>
  );
}
