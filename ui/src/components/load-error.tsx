import { describe } from '@/api/errors';
import { buttons } from '@/lib/words';
import { Button } from '@/ui/button';
import { ErrorState } from '@/ui/error-state';

/** A query that failed, in words, with its retry. */
export function LoadError({ title, error, onRetry }: { title: string; error: unknown; onRetry: () => void }) {
  const { cause, next, requestId } = describe(error);
  return (
    <ErrorState
      title={title}
      cause={cause}
      next={next}
      requestId={requestId}
      actions={
        <Button intent="primary" onClick={onRetry}>
          {buttons.retry}
        </Button>
      }
    />
  );
}
