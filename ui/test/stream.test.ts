import { afterEach, describe, expect, test, vi } from 'vitest';
import { reportOnline } from '@/api/connectivity';
import { createEventParser, type StreamEvent } from '@/api/event-parser';
import { openStream } from '@/api/stream';

describe('the event parser', () => {
  const text = 'retry: 1500\r\n: a comment\r\nevent: log\r\nid: 7\r\ndata: one\r\ndata:two\r\n\r\ndata: three\r\r\n\n';
  const expected = [
    { id: '7', type: 'log', data: 'one\ntwo' },
    { id: '7', type: 'message', data: 'three' },
  ];

  test('reads fields, comments and every kind of line end', () => {
    const parser = createEventParser();
    expect(parser.push(text)).toEqual(expected);
    expect([parser.lastId(), parser.retry()]).toEqual(['7', 1500]);
  });

  test('does not care where the stream is cut', () => {
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = createEventParser();
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], `cut at ${cut}`).toEqual(expected);
    }
    const parser = createEventParser();
    expect([...text].flatMap((c) => parser.push(c))).toEqual(expected);
  });

  test('keeps the id over reconnects and ignores one with a null', () => {
    const parser = createEventParser('5');
    parser.push('id: a\0b\ndata: x\n\n');
    expect(parser.lastId()).toBe('5');
  });

  test('drops an event that is not complete', () => {
    expect(createEventParser().push('data: half')).toEqual([]);
  });
});

describe('a stream', () => {
  afterEach(() => {
    reportOnline();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('reconnects with Last-Event-ID and stops when closed', async () => {
    vi.useFakeTimers();
    const sent: (string | null)[] = [];
    let n = 0;
    vi.stubGlobal('fetch', async (request: Request) => {
      sent.push(request.headers.get('Last-Event-ID'));
      n++;
      return new Response(`retry: 10\nid: ${n}\ndata: line ${n}\n\n`, {
        headers: { 'Content-Type': 'text/event-stream' },
      });
    });
    const events: StreamEvent[] = [];
    const stream = openStream('http://studio.test/events', { onEvent: (e) => events.push(e) });
    await vi.advanceTimersByTimeAsync(25);
    expect(sent).toEqual([null, '1', '2']);
    expect(events.map((e) => e.data)).toEqual(['line 1', 'line 2', 'line 3']);
    stream.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(3);
  });

  test('ends for good when the server refuses it', async () => {
    vi.useFakeTimers();
    let asked = 0;
    vi.stubGlobal('fetch', async () => {
      asked++;
      return Response.json({ detail: 'No such stream.', code: 'not_found' }, { status: 404 });
    });
    const refused = vi.fn();
    openStream('http://studio.test/events', { onEvent: () => undefined, onError: refused });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    expect(refused).toHaveBeenCalledWith(expect.objectContaining({ detail: 'No such stream.' }));
  });
});
