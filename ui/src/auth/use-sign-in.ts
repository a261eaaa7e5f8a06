import { useState } from 'react';
import { signIn, verifyCode } from '@/api/auth';
import { ApiError, describe } from '@/api/errors';

export interface SignInProblem {
  text: string;
  /** Milliseconds since the epoch; set while the server refuses to check at all. */
  lockedUntil?: number;
}

export interface SignIn {
  /** The password was right and the server asks for the second factor. */
  asksCode: boolean;
  pending: boolean;
  problem?: SignInProblem;
  clearProblem: () => void;
  /** Resolves to whether the password was taken. */
  sendPassword: (username: string, password: string) => Promise<boolean>;
  /** Resolves to whether the code was taken. */
  sendCode: (code: string, isRecovery: boolean) => Promise<boolean>;
  /** Back to name and password. */
  restart: () => void;
}

/** The two steps of signing in, for the sign-in page and for the dialog over a page. The ticket between them stays in memory. */
export function useSignIn(onDone: () => void): SignIn {
  const [ticket, setTicket] = useState('');
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<SignInProblem>();

  const attempt = async (work: () => Promise<string | undefined>): Promise<boolean> => {
    setPending(true);
    setProblem(undefined);
    try {
      const next = await work();
      if (next) setTicket(next);
      else onDone();
      // Without a second step the page is left: its button stays busy until then.
      if (next) setPending(false);
      return true;
    } catch (error) {
      setPending(false);
      if (isTicketOver(error)) setTicket('');
      setProblem(words(error));
      return false;
    }
  };

  return {
    asksCode: ticket !== '',
    pending,
    problem,
    clearProblem: () => setProblem(undefined),
    sendPassword: (username, password) => attempt(() => signIn(username, password)),
    sendCode: (code, isRecovery) =>
      attempt(async () => {
        await verifyCode(ticket, code, isRecovery);
        return undefined;
      }),
    restart: () => {
      setTicket('');
      setProblem(undefined);
    },
  };
}

/** The time for the second step ran out: the password has to be given again. A wrong code is a 403. */
function isTicketOver(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

function words(error: unknown): SignInProblem {
  const { cause, next } = describe(error);
  if (error instanceof ApiError && error.status === 401) return { text: error.detail };
  if (error instanceof ApiError && error.code === 'too_many' && error.retryAfter > 0) {
    // The server says how many minutes; what is shown counts them down.
    return { text: 'Too many failed attempts.', lockedUntil: Date.now() + error.retryAfter * 1000 };
  }
  return { text: `${cause} ${next}`.trim() };
}
