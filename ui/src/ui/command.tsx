import { CopyIcon } from './copy-button';

/** A path or a command to copy. */
export function Command({ text }: { text: string }) {
  return (
    <div className="flex items-center rounded-md border border-line bg-surface pl-2.5">
      <code className="min-w-0 flex-1 py-1.5 font-mono text-label break-all text-fg">{text}</code>
      <CopyIcon label={`Copy ${text}`} text={text} />
    </div>
  );
}
