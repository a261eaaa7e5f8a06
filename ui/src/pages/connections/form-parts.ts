import type { Form } from './use-form';
import type { Values } from './values';

/** What the sections of the form need of it. */
export interface SectionProps {
  form: Form;
}

/** The id of the control for a field, by the server's name: error summaries link to it. */
export const fieldId = (name: string): string => `connection-${name}`;

type TextField = {
  [F in keyof Values]: Values[F] extends string ? (string extends Values[F] ? F : never) : never;
}[keyof Values];

/** The props that tie a Field to one text value; `wire` is the server's name where it differs. */
export function textField({ form }: SectionProps, field: TextField, wire: string = field) {
  return {
    field: { id: fieldId(wire), error: form.errors[wire] },
    input: {
      name: wire,
      value: form.values[field],
      onChange: (event: { target: { value: string } }) => form.change({ [field]: event.target.value }),
    },
  };
}
