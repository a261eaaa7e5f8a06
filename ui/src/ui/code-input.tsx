import type { ComponentProps } from 'react';
import { cx } from '@/lib/cx';
import { controlClass } from './input';

const codeLength = 6;

interface Props extends Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'size'> {
  value: string;
  onChange: (code: string) => void;
  /** The last digit was typed, pasted or filled in. */
  onComplete?: (code: string) => void;
}

/**
 * A six-digit code in one field, so that pasting, password managers and the phone's own suggestion work. Spaces and
 * dashes of a pasted code fall away.
 */
export function CodeInput({ value, onChange, onComplete, className, ...rest }: Props) {
  const take = (text: string) => {
    const code = text.replaceAll(/\D/g, '').slice(0, codeLength);
    onChange(code);
    if (code.length === codeLength && code !== value) onComplete?.(code);
  };
  return (
    <input
      {...rest}
      value={value}
      onChange={(e) => take(e.target.value)}
      type="text"
      inputMode="numeric"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      className={cx(
        controlClass,
        'h-12 text-center font-mono text-kpi! tracking-[0.35em] indent-[0.35em] tabular-nums',
        className,
      )}
    />
  );
}
