import { describe } from '@/api/errors';
import { useAddSample } from '@/api/mutations';
import { Button } from '@/ui/button';
import { Notice } from '@/ui/notice';
import { toast } from '@/ui/toast-store';

interface Sample {
  button: React.ReactNode;
  /** Why it was not added; beside the button, in the same empty state. */
  problem: React.ReactNode;
}

/** The way out of an empty list for somebody who has no database at hand. */
export function useSample(): Sample {
  const sample = useAddSample();
  return {
    button: (
      <Button
        pending={sample.isPending}
        onClick={() => sample.mutate(undefined, { onSuccess: () => toast('Sample added. It is being deployed.') })}
      >
        Use the sample database
      </Button>
    ),
    problem: sample.isError && (
      <div role="alert" className="mt-3 text-left">
        <Notice tone="bad" title="The sample was not added">
          {describe(sample.error).cause} {describe(sample.error).next}
        </Notice>
      </div>
    ),
  };
}
