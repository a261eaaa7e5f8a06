// A real MCP client, and a caller that never stops.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** Runs `use` with a connected client. */
export async function withClient(studio, token, use, name = 'browser-test') {
  const client = new Client({ name, version: '1.2.3' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${studio.base}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Calls a tool at a fixed rate until `stop()`, which says how many calls there were and what went wrong. */
export function caller(studio, token, tool, args, perSecond) {
  const failures = [];
  const open = new Set();
  let calls = 0;
  const once = async (id) => {
    const res = await fetch(`${studio.base}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } }),
    });
    const text = await res.text();
    const body = JSON.parse(text);
    if (res.status !== 200 || body.error || body.result?.isError) failures.push(`${res.status} ${text.slice(0, 300)}`);
  };
  const timer = setInterval(() => {
    const call = once(calls++).catch((e) => failures.push(String(e.cause ?? e))).finally(() => open.delete(call));
    open.add(call);
  }, 1000 / perSecond);
  return {
    /** How many calls were begun. */
    count: () => calls,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return { calls, failures };
    },
  };
}
