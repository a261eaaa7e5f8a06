import { Button } from '@/ui/button';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { PasswordInput } from '@/ui/password-input';
import { Textarea } from '@/ui/textarea';

interface Props {
  id: string;
  label: string;
  hint?: string;
  error?: string;
  /** One is stored. */
  stored: boolean;
  /** What changed so that the stored one must not be used any more; empty when it may. */
  changed: readonly string[];
  /** Undefined: untouched. Null: to be removed. */
  value: string | null | undefined;
  onChange: (value: string | null | undefined) => void;
  /** A key file instead of a password. */
  multiline?: boolean;
  className?: string;
}

/** A secret that is never shown again once it is saved: stored and untouched, replaced, or removed. */
export function SecretField(props: Props) {
  const { id, label, hint, error, stored, changed, value, onChange, multiline, className } = props;
  const again = stored && changed.length > 0;
  const word = label.toLowerCase();
  const replace = () => {
    onChange('');
    // The field exists after the next render.
    setTimeout(() => document.getElementById(id)?.focus());
  };
  const why = again
    ? `The ${changed.join(', ')} changed. Enter the ${word} again: a stored one is never sent to another place.`
    : hint;
  const resting = stored && !again && value === undefined;
  return (
    <Field id={id} label={label} error={error} hint={why} className={className} required={stored ? undefined : false}>
      {(ids) => (
        <div className="flex flex-wrap items-start gap-2">
          <div className="min-w-32 flex-1">
            {value === null ? (
              <Input {...ids} readOnly value="" placeholder="removed when you save" />
            ) : resting ? (
              <Input {...ids} readOnly value="" placeholder="stored, encrypted" />
            ) : multiline ? (
              <Textarea
                {...ids}
                rows={5}
                spellCheck={false}
                autoComplete="off"
                className="font-mono text-label"
                value={value ?? ''}
                onChange={(e) => onChange(e.target.value)}
              />
            ) : (
              <PasswordInput
                {...ids}
                autoComplete="new-password"
                value={value ?? ''}
                onChange={(e) => onChange(e.target.value)}
              />
            )}
          </div>
          {resting && <Button onClick={replace}>Replace</Button>}
          {stored && !resting && (!again || value === null) && (
            <Button intent="ghost" onClick={() => onChange(undefined)}>
              {again ? 'Enter it' : 'Keep the stored one'}
            </Button>
          )}
          {stored && value === undefined && (
            <Button intent="ghost" onClick={() => onChange(null)}>
              Remove
            </Button>
          )}
        </div>
      )}
    </Field>
  );
}
