import { shellQuote } from '@/lib/shell-quote';
import { Button } from '@/ui/button';
import { Command } from '@/ui/command';
import { Notice } from '@/ui/notice';
import { Frame } from './frame';

/** Names the key file and how to keep a copy. The key itself never travels over HTTP. */
export function SetupKey({ step, path, onDone }: { step: string; path: string; onDone: () => void }) {
  return (
    <Frame
      wide
      title="Keep a copy of the encryption key"
      lead="Database passwords are stored encrypted. The server made a key for that and keeps it in one file."
      step={step}
      foot="The key is never sent to a browser."
    >
      <div className="grid gap-4">
        <div className="grid gap-1.5">
          <p className="text-label font-medium">Key file, on the server</p>
          <Command text={path} />
        </div>
        <div className="grid gap-1.5">
          <p className="text-label font-medium">Copy it to a safe place</p>
          <Command text={`cp ${shellQuote(path)} /path/to/a/safe/place/`} />
        </div>
        <Notice tone="warn" title="Without this file every database password has to be entered again">
          A backup of the database alone does not contain it. Keep the two apart.
        </Notice>
        <div className="flex justify-end">
          <Button intent="primary" size="lg" autoFocus onClick={onDone}>
            Continue
          </Button>
        </div>
      </div>
    </Frame>
  );
}
