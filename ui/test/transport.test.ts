import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectivity, reportOnline } from '@/api/connectivity';
import { ApiError, Offline, SignedOut } from '@/api/errors';
import { sessionAbandoned, sessionOver, sessionRestored } from '@/api/session';
import { send, sendSignedIn } from '@/api/transport';

const unauthorized = () => Response.json({ detail: 'Sign in first.', code: 'unauthorized' }, { status: 401 });
const request = (init?: RequestInit) => new Request('http://studio.test/api/v1/tools', init);
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Answers each fetch with the next of `answers`, and keeps what was sent. */
function fakeServer(...answers: (() => Response | Promise<Response>)[]) {
  const bodies: string[] = [];
  vi.stubGlobal('fetch', async (sent: Request) => {
    bodies.push(await sent.text());
    const next = answers.shift();
    if (!next) throw new Error('one request too many');
    return next();
  });
  return bodies;
}

beforeEach(() => vi.spyOn(Math, 'random').mockReturnValue(0.5));
afterEach(() => {
  reportOnline();
  if (sessionOver.get()) sessionAbandoned();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('an ended session', () => {
  test('holds every request and sends each again, with its body, after one sign-in', async () => {
    const bodies = fakeServer(
      unauthorized,
      unauthorized,
      () => Response.json(1),
      () => Response.json(2),
    );
    const save = sendSignedIn(request({ method: 'POST', body: 'typed text' }));
    const load = sendSignedIn(request());
    await settle();
    expect(sessionOver.get()).toBe(true);
    sessionRestored();
    expect(sessionOver.get()).toBe(false);
    expect([(await save).status, (await load).status]).toEqual([200, 200]);
    expect(bodies.filter((b) => b === 'typed text')).toHaveLength(2);
  });

  test('is not asked about again for a request that was sent before the sign-in', async () => {
    let late: (answer: Response) => void = () => undefined;
    const bodies = fakeServer(
      unauthorized,
      () =>
        new Promise((resolve) => {
          late = resolve;
        }),
      () => Response.json(1),
      () => Response.json(2),
    );
    const [first, second] = [sendSignedIn(request()), sendSignedIn(request({ method: 'POST', body: 'late' }))];
    await settle();
    sessionRestored();
    late(unauthorized());
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(sessionOver.get()).toBe(false);
    expect(bodies.filter((b) => b === 'late')).toHaveLength(2);
  });

  test('is over in every page once somebody signed in to one of them', async () => {
    fakeServer(unauthorized, () => Response.json(1));
    const load = sendSignedIn(request());
    await settle();
    // Another page is another module: only what it says on the channel is known here.
    const other = new BroadcastChannel('studio session');
    other.postMessage('restored');
    expect((await load).status).toBe(200);
    expect(sessionOver.get()).toBe(false);
    other.close();
  });

  test('ends held requests when the person leaves the dialog', async () => {
    fakeServer(unauthorized);
    const load = sendSignedIn(request());
    await settle();
    sessionAbandoned();
    await expect(load).rejects.toBeInstanceOf(SignedOut);
  });

  test('lets go of a held request that is aborted, and keeps the dialog', async () => {
    fakeServer(unauthorized);
    const stop = new AbortController();
    const load = sendSignedIn(request({ signal: stop.signal }));
    await settle();
    stop.abort();
    await expect(load).rejects.toHaveProperty('name', 'AbortError');
    expect(sessionOver.get()).toBe(true);
  });

  test('is no matter for sign-in itself: there 401 is the answer', async () => {
    fakeServer(unauthorized);
    await expect(send(request())).rejects.toMatchObject({ status: 401, detail: 'Sign in first.' });
    expect(sessionOver.get()).toBe(false);
  });
});

describe('a lost server', () => {
  test('is noticed once and asked for with growing pauses until it answers', async () => {
    vi.useFakeTimers();
    let asked = 0;
    vi.stubGlobal('fetch', async () => {
      asked++;
      if (asked < 4) throw new TypeError('Failed to fetch');
      return Response.json({ status: 'ok' });
    });
    await expect(send(request())).rejects.toBeInstanceOf(Offline);
    expect(connectivity.get().online).toBe(false);
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toBe(2);
    await vi.advanceTimersByTimeAsync(999);
    expect(asked).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(3);
    await vi.advanceTimersByTimeAsync(2000);
    expect(connectivity.get()).toEqual({ online: true, since: 0, attempts: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(4);
  });

  test('is not what an aborted request means', async () => {
    const stop = new AbortController();
    vi.stubGlobal('fetch', async () => {
      stop.abort();
      throw stop.signal.reason;
    });
    await expect(send(request({ signal: stop.signal }))).rejects.toHaveProperty('name', 'AbortError');
    expect(connectivity.get().online).toBe(true);
  });

  test('is not what an error in our JSON means', async () => {
    fakeServer(() => Response.json({ detail: 'Busy.', code: 'unavailable' }, { status: 503 }));
    await expect(send(request())).rejects.toBeInstanceOf(ApiError);
    expect(connectivity.get().online).toBe(true);
  });
});
