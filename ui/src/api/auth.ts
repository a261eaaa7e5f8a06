import { body, done, publicApi } from './client';
import type { components } from './schema';

export type AuthStatus = components['schemas']['AuthStatus'];

/** Sign-in, setup and sign-out. Used by both bundles, so nothing here knows the query cache. */
export function authStatus(signal?: AbortSignal): Promise<AuthStatus> {
  return body(publicApi.GET('/api/v1/auth/status', { signal }));
}

export async function signIn(username: string, password: string): Promise<void> {
  await body(publicApi.POST('/api/v1/auth/login', { body: { username, password } }));
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
