import { useState } from 'react';
import { formatList } from '@/lib/format';
import { Field } from '@/ui/field';
import { FormDialog } from '@/ui/form-dialog';
import { Input } from '@/ui/input';
import { toast } from '@/ui/toast-store';
import { applyUrl, parseUrl } from './url';
import type { Values } from './values';

interface Props {
  values: Values;
  onClose: () => void;
  onApply: (values: Values, password: string | undefined) => void;
}

/** Fills the form from a URL. The text goes with the dialog: the password in it is not shown again. */
export function UrlDialog({ values, onClose, onApply }: Props) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const apply = () => {
    const parsed = parseUrl(text, values.db_type);
    if (!parsed) {
      setProblem('This is not a connection URL that the studio knows. It starts like postgres:// or sqlite:.');
      return;
    }
    onApply(applyUrl(values, parsed), parsed.password);
    onClose();
    if (parsed.left.length > 0) toast(`Filled in. Not taken over: ${formatList(parsed.left)}.`, { tone: 'info' });
    else toast('Filled in from the URL.');
  };
  return (
    <FormDialog open onClose={onClose} title="Paste a connection URL" submit="Fill in" onSubmit={apply}>
      <Field
        label="Connection URL"
        hint="For example postgres://user:password@host:5432/database?sslmode=require. It stays in this page: nothing is sent before you test or save."
        error={problem}
      >
        {(ids) => (
          <Input
            {...ids}
            mono
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={text}
            onChange={(e) => {
              setText(e.target.value);
              setProblem('');
            }}
          />
        )}
      </Field>
    </FormDialog>
  );
}
