import createClient from 'openapi-fetch';
import type { paths } from './schema';
import { send, sendSignedIn } from './transport';

/** Calls on behalf of the signed-in admin. Never answers `error`: the transport throws it. */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: sendSignedIn });

/** Calls that work without a session: status, setup, sign-in. A 401 here is an answer, not an ended session. */
export const publicApi = createClient<paths>({ baseUrl: location.origin, fetch: send });

/** The body of a call that has one. */
export async function body<T>(call: Promise<{ data?: T }>): Promise<T> {
  const { data } = await call;
  if (data === undefined) throw new TypeError('the server answered without a body');
  return data;
}

/** Waits for a call whose body is empty (204). */
export async function done(call: Promise<object>): Promise<void> {
  await call;
}
