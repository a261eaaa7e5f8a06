import { Notice } from '@/ui/notice';
import { Locked } from './locked';
import type { SignIn } from './use-sign-in';

/** Why signing in did not work, with the time left while it is locked. */
export function ProblemNotice({ signIn }: { signIn: SignIn }) {
  const { problem, clearProblem } = signIn;
  if (!problem) return null;
  return (
    <div role="alert">
      <Notice tone="bad">
        {problem.text} {problem.lockedUntil && <Locked until={problem.lockedUntil} onEnd={clearProblem} />}
      </Notice>
    </div>
  );
}
