import { Play } from 'lucide-react';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import type { Builder } from './builder';

/** In the place of what only a preview can give. */
export function NeedsPreview({ builder }: { builder: Builder }) {
  return (
    <EmptyState
      icon={<Play aria-hidden />}
      title={builder.preview.error == null ? 'Run the preview first' : 'The last preview failed'}
      actions={
        <Button intent="primary" pending={builder.preview.since !== undefined} onClick={builder.run}>
          <Play aria-hidden />
          Run preview
        </Button>
      }
    >
      This shows the result of the last preview in another form.
    </EmptyState>
  );
}
