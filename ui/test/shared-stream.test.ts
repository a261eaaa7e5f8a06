import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectivity, reportOnline } from '@/api/connectivity';
import { sessionRestored, signedIn } from '@/api/session';
import { openSharedStream } from '@/api/shared-stream';

/** The one exclusive lock of Web Locks that is used here, as the browser grants it: in the order of asking. */
class Locks {
  private readonly queue: (() => void)[] = [];
  private held = false;

  async request(_: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    if (this.held) {
      await new Promise<void>((resolve, reject) => {
        this.queue.push(resolve);
        signal.addEventListener('abort', () => {
          this.queue.splice(this.queue.indexOf(resolve), 1);
          reject(signal.reason);
        });
      });
    }
    this.held = true;
    try {
      await work();
    } finally {
      this.held = false;
      this.queue.shift()?.();
    }
  }
}

/** A server whose event streams stay open until they are ended here, or given back by the page. */
class Server {
  readonly open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  asked = 0;
  status = 200;

  readonly fetch = async (request: Request): Promise<Response> => {
    this.asked++;
    if (this.status !== 200) return Response.json({ detail: 'No.', code: 'x' }, { status: this.status });
    const { open } = this;
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        own = controller;
        open.add(controller);
        request.signal.addEventListener('abort', () => {
          if (open.delete(controller)) controller.error(request.signal.reason);
        });
      },
      cancel() {
        open.delete(own);
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  };

  send(text: string): void {
    for (const stream of this.open) stream.enqueue(new TextEncoder().encode(`event: change\ndata: ${text}\n\n`));
  }

  end(): void {
    for (const stream of this.open) stream.close();
    this.open.clear();
  }
}

const soon = (look: () => void) => vi.waitFor(look, { timeout: 3_000, interval: 5 });

describe('a stream that all pages share', () => {
  let server: Server;
  let pages: Page[];

  interface Page {
    events: string[];
    states: string[];
    refused: number[];
    close: () => void;
  }
  const openPage = (): Page => {
    const page: Page = { events: [], states: [], refused: [], close: () => undefined };
    const { close } = openSharedStream('http://studio.test/events', {
      onEvent: (e) => page.events.push(e.data),
      onState: (s) => page.states.push(s),
      onError: (e) => page.refused.push(e.status),
    });
    page.close = close;
    pages.push(page);
    return page;
  };
  const isOpen = (page: Page) => expect(page.states.at(-1)).toBe('open');

  beforeEach(() => {
    server = new Server();
    pages = [];
    vi.stubGlobal('fetch', server.fetch);
    vi.stubGlobal('navigator', { locks: new Locks() });
  });
  afterEach(() => {
    for (const page of pages) page.close();
    sessionRestored();
    reportOnline();
    vi.unstubAllGlobals();
  });

  test('is one connection, and every page gets every event once', async () => {
    const all = [openPage(), openPage(), openPage()];
    await soon(() => all.forEach(isOpen));
    expect(server.open.size).toBe(1);
    server.send('one');
    server.send('two');
    await soon(() => expect(all.map((p) => p.events)).toEqual(all.map(() => ['one', 'two'])));
    expect(server.asked).toBe(1);
  });

  test('goes on in another page when the one that holds it is closed', async () => {
    const [first, second, third] = [openPage(), openPage(), openPage()];
    await soon(() => [first, second, third].forEach(isOpen));
    const before = third.states.length;
    first.close();
    await soon(() => expect(server.asked).toBe(2));
    // Told again: something may have been missed between the two.
    await soon(() => expect(third.states.slice(before)).toContain('open'));
    server.send('after');
    await soon(() => expect([second.events, third.events]).toEqual([['after'], ['after']]));
    expect(first.events).toEqual([]);
    expect(server.open.size).toBe(1);
  });

  test('says to a page that joins how it is, and to no other', async () => {
    const first = openPage();
    await soon(() => isOpen(first));
    const second = openPage();
    await soon(() => isOpen(second));
    const told = second.states.length;
    const third = openPage();
    await soon(() => isOpen(third));
    expect(second.states).toHaveLength(told);
    expect(server.asked).toBe(1);
  });

  test('tells every page when it is lost and when it is back', async () => {
    const [first, second] = [openPage(), openPage()];
    await soon(() => [first, second].forEach(isOpen));
    server.end();
    await soon(() => expect(second.states).toContain('waiting'));
    await soon(() => [first, second].forEach(isOpen));
    expect(server.open.size).toBe(1);
    expect(connectivity.get().online).toBe(true);
  });

  test('is given up while the session is over, and taken again after signing in', async () => {
    const [first, second] = [openPage(), openPage()];
    await soon(() => [first, second].forEach(isOpen));
    void signedIn();
    await soon(() => expect(server.open.size).toBe(0));
    sessionRestored();
    await soon(() => expect(server.open.size).toBe(1));
    server.send('again');
    await soon(() => expect([first.events, second.events]).toEqual([['again'], ['again']]));
  });

  test('is asked for once when the server refuses it', async () => {
    server.status = 404;
    const [first, second] = [openPage(), openPage()];
    await soon(() => expect(first.refused).toEqual([404]));
    await new Promise((done) => setTimeout(done, 50));
    expect([server.asked, second.refused]).toEqual([1, []]);
  });

  test('is not confused by what a page of another version says', async () => {
    const page = openPage();
    await soon(() => isOpen(page));
    const stranger = new BroadcastChannel('studio http://studio.test/events');
    for (const odd of [7, null, {}, { kind: 'event', event: { data: 1 } }, { kind: 'state', state: 'odd' }]) {
      stranger.postMessage(odd);
    }
    stranger.close();
    server.send('still here');
    await soon(() => expect(page.events).toEqual(['still here']));
    isOpen(page);
  });

  test('is a stream of its own where the browser has no locks', async () => {
    vi.stubGlobal('navigator', {});
    const all = [openPage(), openPage()];
    await soon(() => all.forEach(isOpen));
    expect(server.open.size).toBe(2);
  });
});
