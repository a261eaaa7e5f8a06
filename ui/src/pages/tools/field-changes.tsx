import { lineDiff } from '@/lib/line-diff';
import { Diff } from '@/ui/diff';
import { type FieldChange, textOfField } from './fields';

interface Props {
  changes: readonly FieldChange[];
  /** The name of a connection by its id. */
  connectionName: (id: string) => string;
}

/** What differs between two versions of a tool, field by field, texts line by line. */
export function FieldChanges({ changes, connectionName }: Props) {
  return (
    <ul className="grid gap-3">
      {changes.map((c) => (
        <li key={c.key} className="min-w-0">
          <p className="mb-1 text-label font-medium">{c.label}</p>
          <Diff
            label={`Difference in ${c.label}`}
            lines={lineDiff(
              textOfField(c.key, c.before, connectionName),
              textOfField(c.key, c.after, connectionName),
              3,
            )}
          />
        </li>
      ))}
    </ul>
  );
}
