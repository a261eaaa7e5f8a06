import { body, done, publicApi } from './client';
import type { components } from './schema';

export type AuthStatus = components['schemas']['AuthStatus'];

/** Sign-in, setup and sign-out. Used by both bundles, so nothing here knows the query cache. */
export function authStatus(signal?: AbortSignal): Promise<AuthStatus> {
  return body(publicApi.GET('/api/v1/auth/status', { signal }));
}

/** Resolves to nothing when the session is there, or to the ticket for the second step. */
export async function signIn(username: string, password: string): Promise<string | undefined> {
  const answer = await body(publicApi.POST('/api/v1/auth/login', { body: { username, password } }));
  return answer.pending_token;
}

/** The second step, with a code of the app or a recovery code. */
export async function verifyCode(ticket: string, code: string, isRecovery: boolean): Promise<void> {
  await body(
    publicApi.POST('/api/v1/auth/login/verify-2fa', { body: { pending_token: ticket, code, is_recovery: isRecovery } }),
  );
}

export async function setUp(username: string, password: string, setupCode: string): Promise<void> {
  await body(publicApi.POST('/api/v1/auth/setup', { body: { username, password, setup_code: setupCode } }));
}

export function signOut(): Promise<void> {
  return done(publicApi.POST('/api/v1/auth/logout'));
}

/** Makes the sample and deploys it, from the last step of setup. */
export async function addSample(): Promise<void> {
  await body(publicApi.POST('/api/v1/sample', { body: { deploy: true } }));
}
