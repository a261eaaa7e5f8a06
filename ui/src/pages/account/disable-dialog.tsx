import { useDisableTwoFactor } from '@/api/account';
import { FormDialog } from '@/ui/form-dialog';
import { toast } from '@/ui/toast-store';
import { ProofFields, useProof } from './proof-fields';
import { FormProblem, useProblems } from './use-problems';

/** Turning it off cannot be undone: turning it on again makes another secret and other codes. */
export function DisableDialog({ onClose }: { onClose: () => void }) {
  const { proof, setProof, gaps } = useProof();
  const { problems, box, found, failed } = useProblems(['password', 'code']);
  const disable = useDisableTwoFactor();
  const submit = () => {
    if (!found(gaps)) return;
    disable.mutate(
      { ...proof, code: proof.code.trim() },
      {
        onSuccess: () => {
          toast('Two-factor is off.', { tone: 'warn' });
          onClose();
        },
        onError: (error) => {
          setProof({ ...proof, code: '' });
          failed(error);
        },
      },
    );
  };
  return (
    <FormDialog
      open
      onClose={onClose}
      size="sm"
      title="Turn off two-factor"
      description="The password alone will be enough to sign in. The secret in the app and the recovery codes stop working, and every other session ends."
      submit="Turn off two-factor"
      intent="danger"
      pending={disable.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        <ProofFields proof={proof} onChange={setProof} problems={problems} recovery />
      </div>
    </FormDialog>
  );
}
