import { useState } from 'react';
import { useNewRecoveryCodes } from '@/api/account';
import { FormDialog } from '@/ui/form-dialog';
import { toast } from '@/ui/toast-store';
import { CodesDialog } from './codes-dialog';
import { ProofFields, useProof } from './proof-fields';
import { FormProblem, useProblems } from './use-problems';

/** New recovery codes in place of the old ones. */
export function RenewCodesDialog({ onClose }: { onClose: () => void }) {
  const { proof, setProof, gaps } = useProof();
  const { problems, box, found, failed } = useProblems(['password', 'code']);
  const [codes, setCodes] = useState<readonly string[]>();
  const renew = useNewRecoveryCodes();
  const submit = () => {
    if (!found(gaps)) return;
    renew.mutate(
      { password: proof.password, code: proof.code },
      {
        onSuccess: ({ recovery_codes }) => setCodes(recovery_codes),
        onError: (error) => {
          setProof({ ...proof, code: '' });
          failed(error);
        },
      },
    );
  };
  if (codes) {
    const done = () => {
      toast('The new recovery codes are valid; the old ones are not.');
      onClose();
    };
    return <CodesDialog title="Store the new recovery codes" codes={codes} onDone={done} />;
  }
  return (
    <FormDialog
      open
      onClose={onClose}
      size="sm"
      title="Make new recovery codes"
      description="The old ones stop working, also those on paper. Every other session ends."
      submit="Make new codes"
      pending={renew.isPending}
      onSubmit={submit}
    >
      <div ref={box} className="grid gap-4">
        <FormProblem problems={problems} />
        <ProofFields proof={proof} onChange={setProof} problems={problems} recovery={false} />
      </div>
    </FormDialog>
  );
}
