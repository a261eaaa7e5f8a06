import { Check, Copy, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { announce } from '@/lib/announce';
import { Button } from './button';
import { iconButtonClass } from './icon-button-class';

type Outcome = 'none' | 'copied' | 'refused';

/** The clipboard needs a secure page (HTTPS or loopback); without one the person is told to copy by hand. */
function useCopy(text: string): [Outcome, () => void] {
  const [outcome, setOutcome] = useState<Outcome>('none');
  useEffect(() => {
    if (outcome === 'none') return;
    const timer = setTimeout(() => setOutcome('none'), 1_600);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome('copied');
      announce('Copied.');
    } catch {
      setOutcome('refused');
      announce('The browser refused. Select the text and copy it.', 'assertive');
    }
  };
  return [outcome, () => void copy()];
}

const words: Record<Outcome, string | undefined> = { none: undefined, copied: 'Copied', refused: 'Not copied' };

function OutcomeIcon({ outcome, className }: { outcome: Outcome; className?: string }) {
  if (outcome === 'copied') return <Check aria-hidden className={className} />;
  if (outcome === 'refused') return <X aria-hidden className={className} />;
  return <Copy aria-hidden className={className} />;
}

/** Only an icon. Its tooltip is the browser's: this button is in the first chunk, the tooltip code is not. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const [outcome, copy] = useCopy(text);
  const name = words[outcome] ?? label;
  return (
    <button type="button" aria-label={name} title={name} onClick={copy} className={iconButtonClass('sm')}>
      <OutcomeIcon outcome={outcome} />
    </button>
  );
}

interface Props {
  text: string;
  label: string;
  intent?: 'primary' | 'outline';
  size?: 'sm' | 'md';
}

export function CopyButton({ text, label, intent, size = 'sm' }: Props) {
  const [outcome, copy] = useCopy(text);
  return (
    <Button size={size} intent={intent} onClick={copy}>
      <OutcomeIcon outcome={outcome} className="size-3.5" />
      {words[outcome] ?? label}
    </Button>
  );
}
