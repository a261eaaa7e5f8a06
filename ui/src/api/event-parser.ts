export interface StreamEvent {
  id: string;
  /** "message" when the server names none. */
  type: string;
  data: string;
}

export interface EventParser {
  /** Takes the next piece of the stream and returns the events it completes. */
  push: (chunk: string) => StreamEvent[];
  /** The id to send as Last-Event-ID on the next connection. */
  lastId: () => string;
  /** The pause before reconnecting that the server asked for, in milliseconds; undefined when it did not. */
  retry: () => number | undefined;
}

/** Reads text/event-stream (WHATWG HTML, section 9.2.6): lines end with CR, LF or CR LF; a blank line ends an event. */
export function createEventParser(startId = ''): EventParser {
  let buffer = '';
  let afterCarriage = false;
  let id = startId;
  let retry: number | undefined;
  let type = '';
  let data: string[] = [];

  const field = (line: string) => {
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data.push(value);
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) retry = Number(value);
  };

  const push = (chunk: string): StreamEvent[] => {
    const events: StreamEvent[] = [];
    let text = buffer + chunk;
    // The line feed of a CR LF that was cut in two does not end another line.
    if (afterCarriage && text.startsWith('\n')) text = text.slice(1);
    afterCarriage = text === '' ? afterCarriage : text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    buffer = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        field(line);
        continue;
      }
      if (data.length > 0) events.push({ id, type: type || 'message', data: data.join('\n') });
      type = '';
      data = [];
    }
    return events;
  };
  return { push, lastId: () => id, retry: () => retry };
}
