import { Download, Printer } from 'lucide-react';
import { useState } from 'react';
import { createPortal } from 'react-dom';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { CopyButton } from '@/ui/copy-button';
import { Dialog } from '@/ui/dialog';

interface Props {
  title: string;
  step?: string;
  codes: readonly string[];
  onDone: () => void;
}

/** Shows recovery codes, this once. It does not vanish by accident: it closes after the person says they are stored. */
export function CodesDialog({ title, step, codes, onDone }: Props) {
  const [stored, setStored] = useState(false);
  return (
    <Dialog
      open
      onClose={onDone}
      dismissible={false}
      size="sm"
      title={title}
      description={`${step ? `${step}. ` : ''}Each works once instead of the app. You will not see them again.`}
      footer={
        <Button
          intent="primary"
          disabled={!stored}
          onClick={onDone}
          className="disabled:border-line disabled:bg-raised disabled:text-muted"
        >
          Done
        </Button>
      }
    >
      <div className="grid gap-3 pb-1">
        <ol
          aria-label="Recovery codes"
          className="grid grid-cols-2 gap-x-6 gap-y-1.5 rounded-md border border-line bg-bg px-4 py-3 font-mono text-control max-[22rem]:grid-cols-1"
        >
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ol>
        <div className="flex flex-wrap gap-2">
          <CopyButton label="Copy codes" text={codes.join('\n')} />
          <Button size="sm" onClick={() => download(codes)}>
            <Download aria-hidden className="size-3.5" />
            Download
          </Button>
          <Button size="sm" onClick={() => window.print()}>
            <Printer aria-hidden className="size-3.5" />
            Print
          </Button>
        </div>
        <p className="text-control text-muted">
          Keep them where you keep other important papers, or in a password manager, and not on the phone with the app.
        </p>
        <Checkbox checked={stored} onChange={setStored}>
          I stored the codes
        </Checkbox>
      </div>
      <PrintSheet codes={codes} />
    </Dialog>
  );
}

/** What goes on paper instead of the page; see print-sheet in the style sheet. */
function PrintSheet({ codes }: { codes: readonly string[] }) {
  return createPortal(
    <div className="print-sheet">
      <p>Recovery codes of Studio at {location.host}</p>
      <p>Each works once instead of a code of the app.</p>
      <ul>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
    </div>,
    document.body,
  );
}

function download(codes: readonly string[]): void {
  const text = `Recovery codes of Studio at ${location.host}\nEach works once instead of a code of the app.\n\n${codes.join('\n')}\n`;
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'studio-recovery-codes.txt';
  link.click();
  URL.revokeObjectURL(url);
}
