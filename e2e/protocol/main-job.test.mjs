// The main job without a browser: the admin API by its documented shapes, then real MCP clients of both eras get what psql gets.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, shop, connection, tool, token;
const sql = 'SELECT id, name, country, joined FROM customers WHERE (:country IS NULL OR country = :country) AND joined >= :since ORDER BY id LIMIT :limit';

before(async () => {
  shop = await Shop.create();
  studio = await Studio.start();
});
after(async () => {
  await studio?.stop();
  await shop?.drop();
});

test('setup needs the one-time code and happens once', async () => {
  const wrong = await studio.request('POST', '/api/v1/auth/setup', { username: 'admin', password: 'a long password here', setup_code: 'nope' });
  assert.ok([401, 403, 422].includes(wrong.status), wrong.text);
  await studio.setup();
  const again = await studio.request('POST', '/api/v1/auth/setup', { username: 'b', password: 'a long password here', setup_code: await studio.setupCode() });
  assert.ok([403, 409].includes(again.status), again.text);
});

test('a PostgreSQL connection tests step by step', async () => {
  const draft = { name: 'Shop', db_type: 'postgresql', host: shop.host, port: shop.port, database: shop.name, username: shop.user, password: shop.password, ssl_mode: 'disable' };
  const failed = await studio.api('POST', 'connections/test', { ...draft, password: 'wrong', host: shop.host, port: 1 });
  assert.equal(failed.success, false);
  assert.ok(failed.steps.some((s) => !s.ok && s.message && s.hint), JSON.stringify(failed));
  connection = await studio.api('POST', 'connections', draft);
  assert.equal(connection.password, '••••••');
  assert.equal(connection.read_only, true);
  const result = await studio.api('POST', `connections/${connection.id}/test`);
  assert.equal(result.success, true, JSON.stringify(result));
  assert.match(result.server_version, /\d/);
  const tables = await studio.api('GET', `schema/${connection.id}/tables`);
  assert.deepEqual(tables.items.map((t) => t.name).sort(), ['customers', 'orders']);
  const columns = await studio.api('GET', `schema/${connection.id}/tables/orders/columns`);
  assert.equal(columns.foreign_keys[0].ref_table, 'customers');
});

test('a tool is analysed, previewed, saved and deployed', async () => {
  const analysed = await studio.api('POST', 'tools/analyze', { connection_id: connection.id, sql_query: sql });
  assert.deepEqual(analysed.parameters.map((p) => p.name), ['country', 'since', 'limit']);
  const parameters = [
    { name: 'country', param_type: 'string', description: 'Two-letter country', is_required: false, sort_order: 0 },
    { name: 'since', param_type: 'date', description: 'Joined on or after', is_required: true, sort_order: 1 },
    { name: 'limit', param_type: 'integer', description: 'How many', is_required: false, default_value: 5, minimum: 1, maximum: 100, sort_order: 2 },
  ];
  const preview = await studio.api('POST', 'preview/execute', { connection_id: connection.id, sql_query: sql, parameters, arguments: { since: '2026-01-01' } });
  assert.equal(preview.row_count, 5);
  assert.deepEqual(Object.keys(preview.rows[0]), ['id', 'name', 'country', 'joined']);
  tool = await studio.api('POST', 'tools', { connection_id: connection.id, name: 'customers', description: 'Customers that joined since a day.', sql_query: sql, parameters });
  assert.equal((await studio.api('GET', 'deploy/status')).status, 'stopped');
  const status = await studio.deploy();
  assert.equal(status.tools, 1);
  assert.equal(status.undeployed_changes, 0);
  token = (await studio.api('POST', 'mcp-tokens', { name: 'test client' })).token;
  assert.ok(token.length > 30);
});

/** What psql shows for the same statement. */
async function expected(country, since, limit) {
  const { rows } = await shop.query(
    `SELECT json_agg(json_build_object('id', id::text, 'name', name, 'country', country, 'joined', joined::text) ORDER BY id) AS rows
     FROM (SELECT * FROM customers WHERE ($1::text IS NULL OR country = $1) AND joined >= $2::date ORDER BY id LIMIT $3) x`, [country, since, limit]);
  return rows[0].rows;
}

function check(result, rows) {
  assert.ok(!result.isError, JSON.stringify(result));
  const got = result.structuredContent;
  assert.deepEqual(JSON.parse(result.content[0].text), got);
  assert.equal(got.row_count, rows.length);
  assert.equal(got.truncated, false);
  assert.deepEqual(got.rows.map((r) => ({ ...r, id: String(r.id) })), rows);
}

test('the client of the legacy era lists and calls the tool', async () => {
  const client = new Client({ name: 'legacy-test', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${studio.base}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  const { tools } = await client.listTools();
  assert.equal(tools[0].name, 'customers');
  assert.deepEqual(tools[0].inputSchema.required, ['since']);
  assert.equal(tools[0].annotations.readOnlyHint, true);
  check(await client.callTool({ name: 'customers', arguments: { since: '2026-01-10', limit: 7 } }), await expected(null, '2026-01-10', 7));
  check(await client.callTool({ name: 'customers', arguments: { since: '2026-02-03', country: 'DE', limit: 100 } }), await expected('DE', '2026-02-03', 100));
  const bad = await client.callTool({ name: 'customers', arguments: { since: 'yesterday' } });
  assert.equal(bad.isError, true);
  assert.match(bad.content[0].text, /since/);
  await assert.rejects(client.callTool({ name: 'nothing', arguments: {} }), /-32602|[Uu]nknown tool/);
  await client.close();
});

test('the client of the modern era lists and calls the tool', async () => {
  const client = new ModernClient({ name: 'modern-test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new ModernTransport(new URL(`${studio.base}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  const { tools } = await client.listTools();
  assert.equal(tools[0].name, 'customers');
  check(await client.callTool({ name: 'customers', arguments: { since: '2026-01-10', limit: 7 } }), await expected(null, '2026-01-10', 7));
  await client.close();
  const seen = await studio.until(async () => {
    const { items } = await studio.api('GET', 'mcp-tokens');
    return items[0].last_client.includes('modern-test') && items[0];
  }, 'the token to show its last client');
  assert.equal(seen.token, undefined);
});

test('a revoked token is dead on the next request', async () => {
  const made = await studio.api('POST', 'mcp-tokens', { name: 'short-lived' });
  const call = () => fetch(`${studio.base}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${made.token}` }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) });
  assert.equal((await call()).status, 200);
  await studio.api('DELETE', `mcp-tokens/${made.id}`);
  const dead = await call();
  assert.equal(dead.status, 401);
  assert.match(dead.headers.get('www-authenticate'), /^Bearer/);
});

test('a statement can bind who calls, and a client cannot choose it', async () => {
  const who = await studio.api('POST', 'tools', { connection_id: connection.id, name: 'who', description: 'Who calls.', sql_query: 'SELECT :caller.name AS name, :caller.kind AS kind, :caller.id AS id' });
  await studio.deploy();
  const made = await studio.api('POST', 'mcp-tokens', { name: 'caller test' });
  const call = (args) => fetch(`${studio.base}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${made.token}` }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'who', arguments: args } }) }).then((r) => r.json());
  const { result } = await call({});
  assert.deepEqual(result.structuredContent.rows, [{ name: 'caller test', kind: 'mcp_token', id: made.id }]);
  const forged = await call({ 'caller.name': 'admin' });
  assert.equal(forged.result.isError, true, JSON.stringify(forged));
  await studio.api('DELETE', `tools/${who.id}`);
  await studio.deploy();
});

test('a redeploy is not noticed by a client that calls all the time', async () => {
  let calls = 0, failed = 0, stop = false;
  const caller = async () => {
    while (!stop) {
      const res = await fetch(`${studio.base}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` }, body: JSON.stringify({ jsonrpc: '2.0', id: calls, method: 'tools/call', params: { name: 'customers', arguments: { since: '2026-01-10' } } }) });
      const body = await res.json();
      calls++;
      if (res.status !== 200 || body.error || body.result?.isError) failed++;
    }
  };
  const running = [caller(), caller(), caller()];
  for (let i = 0; i < 3; i++) {
    tool = await studio.api('PATCH', `tools/${tool.id}`, { version: tool.version, description: `Customers, take ${i}.` });
    assert.equal((await studio.api('GET', 'deploy/status')).undeployed_changes, 1);
    await studio.deploy();
  }
  await studio.until(() => calls > 50, 'fifty calls');
  stop = true;
  await Promise.all(running);
  assert.equal(failed, 0);
});

test('a studio that was killed serves again after a restart', async () => {
  const { dir } = studio;
  studio.keep = true;
  await studio.stop('SIGKILL');
  const cookie = studio.cookie;
  studio = await Studio.start({ dir });
  studio.cookie = cookie;
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the revision to serve again');
  const res = await fetch(`${studio.base}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}` }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'customers', arguments: { since: '2026-01-10', limit: 1 } } }) });
  check((await res.json()).result, await expected(null, '2026-01-10', 1));
});
