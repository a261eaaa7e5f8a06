import { Notice } from '@/ui/notice';
import { type FieldMessages, fieldId, fieldLabel, inFormOrder } from './errors';

interface Props {
  fields: FieldMessages;
  general: string;
  /** Brings the pane of a field to the front, where only some fit. */
  onReveal: (field: string) => void;
}

/** What stopped the save: a link to each field, also those in a pane that is not shown now. */
export function SaveErrors({ fields, general, onReveal }: Props) {
  const entries = inFormOrder(fields);
  if (entries.length === 0 && !general) return null;
  return (
    <div role="alert" className="shrink-0 border-b border-line p-2">
      <Notice tone="bad" title={general ? undefined : 'The tool was not saved'}>
        {general && <p>{general}</p>}
        <ul className="grid gap-0.5">
          {entries.map(([field, message]) => (
            <li key={field}>
              <button
                type="button"
                className="rounded text-link underline underline-offset-2"
                onClick={() => onReveal(field)}
              >
                {fieldLabel(field)}
              </button>
              : {message}
            </li>
          ))}
        </ul>
      </Notice>
    </div>
  );
}

/** Puts the focus on the control of a field once it is shown. */
export function focusField(field: string): void {
  const inEditor = field === 'sql_query' || field === 'transform' || field === 'parameters';
  const target = inEditor
    ? document.querySelector<HTMLElement>(`[data-editor="${field === 'transform' ? 'transform' : 'sql_query'}"] > *`)
    : document.getElementById(fieldId(field));
  target?.focus();
}
