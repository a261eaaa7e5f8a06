import { reportOffline, reportOnline } from './connectivity';
import { fromNetwork, Offline, readError } from './errors';
import { sessionTurn, signedIn } from './session';

/**
 * Sends one request. Answers that are not a success are thrown as ApiError, Conflict or Offline; a 401 waits for
 * a new sign-in and sends the request again. Sign-in itself goes through `send`, where 401 means a wrong password.
 */
export async function send(request: Request): Promise<Response> {
  const response = await reach(request);
  if (response.ok) return response;
  const error = await readError(response);
  if (error instanceof Offline) reportOffline();
  throw error;
}

export async function sendSignedIn(request: Request): Promise<Response> {
  const again = request.clone();
  const turn = sessionTurn();
  const response = await reach(request);
  if (response.ok) return response;
  if (response.status === 401) {
    if (turn === sessionTurn()) await signedIn(again.signal);
    return sendSignedIn(again);
  }
  const error = await readError(response);
  if (error instanceof Offline) reportOffline();
  throw error;
}

async function reach(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    // A proxy's own 502 is an answer, but not of the server: readError decides that.
    if (response.ok || response.status < 500) reportOnline();
    return response;
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    reportOffline();
    throw fromNetwork();
  }
}
