import { describe } from '@/api/errors';
import { useStopServer } from '@/api/mutations';
import { ConfirmDialog } from '@/ui/confirm-dialog';

export function StopDialog({ onClose }: { onClose: () => void }) {
  const stop = useStopServer();
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title="Stop server"
      verb="Stop server"
      describeError={(error) => describe(error).cause}
      onConfirm={() => stop.mutateAsync(undefined)}
    >
      <p>Clients get an error for every call until you deploy again. Calls that run now are finished first.</p>
    </ConfirmDialog>
  );
}
