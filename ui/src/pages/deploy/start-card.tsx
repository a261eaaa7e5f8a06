import { plural } from '@/lib/format';
import { Checkbox } from '@/ui/checkbox';
import { Field } from '@/ui/field';
import { Input } from '@/ui/input';
import { Notice } from '@/ui/notice';
import type { Start } from './use-start';

/** What can be said before deploying: a note for the list of revisions, and that warnings are accepted. */
export function StartCard({ start, warnings }: { start: Start; warnings: number }) {
  return (
    <section aria-label="Before deploying" className="grid gap-3 rounded-lg border border-line bg-surface p-4">
      <Field label="Note" required={false} hint="Shown in the list of revisions.">
        {(ids) => (
          <Input
            {...ids}
            maxLength={500}
            autoComplete="off"
            value={start.note}
            onChange={(e) => start.setNote(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === 'Enter') start.run();
            }}
          />
        )}
      </Field>
      {warnings > 0 && (
        <Notice tone="warn">
          <Checkbox
            checked={start.accepted}
            onChange={start.setAccepted}
            hint="They are listed below. The server deploys only when they are accepted."
          >
            {`Deploy with ${plural(warnings, 'warning')}`}
          </Checkbox>
        </Notice>
      )}
    </section>
  );
}
