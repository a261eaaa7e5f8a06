import { Notice } from './notice';

export interface FormError {
  /** The id given to the Field; empty for an error that belongs to no field. */
  id: string;
  label: string;
  message: string;
}

/** What is wrong with a form, with a link to each field. Only for more than one: a single error is read at its field. */
export function FormErrors({ errors }: { errors: readonly FormError[] }) {
  const general = errors.filter((e) => !e.id);
  const fields = errors.filter((e) => e.id);
  const shown = fields.length > 1 ? errors : general;
  if (shown.length === 0) return null;
  return (
    <div role="alert">
      <Notice tone="bad" title={fields.length > 1 ? `${fields.length} fields need a change` : undefined}>
        {general.map((e) => (
          <p key={e.message}>{e.message}</p>
        ))}
        {fields.length > 1 && (
          <ul className="mt-1 grid gap-0.5">
            {fields.map((e) => (
              <li key={e.id}>
                <a
                  href={`#${e.id}`}
                  className="rounded text-link underline underline-offset-2"
                  onClick={(event) => {
                    event.preventDefault();
                    document.getElementById(e.id)?.focus();
                  }}
                >
                  {e.label}
                </a>
                : {e.message}
              </li>
            ))}
          </ul>
        )}
      </Notice>
    </div>
  );
}

/** Moves the focus to the first field that is marked invalid, in document order. Call it after the errors are rendered. */
export function focusFirstError(form: HTMLElement | null): void {
  form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
