// Bad input through the whole product: each mistake gets a clear error with field, cause and next step, and nothing is half-written.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, shop, connection;
const tool = (over) => ({ connection_id: connection.id, name: 'orders', description: 'Orders.', sql_query: 'SELECT id FROM orders LIMIT 3', ...over });

before(async () => {
  shop = await Shop.create();
  studio = await Studio.start();
  await studio.setup();
  connection = await studio.api('POST', 'connections', { name: 'Shop', db_type: 'postgresql', host: shop.host, port: shop.port, database: shop.name, username: shop.user, password: shop.password, ssl_mode: 'disable' });
});
after(async () => {
  await studio?.stop();
  await shop?.drop();
});

const testDraft = (over) => studio.api('POST', 'connections/test', { name: 'x', db_type: 'postgresql', host: shop.host, port: shop.port, database: shop.name, username: shop.user, password: shop.password, ssl_mode: 'disable', ...over });

for (const [name, over, step] of [
  ['a port nobody listens on', { port: 1 }, 'connect'],
  ['a host that does not exist', { host: 'no-such-host.invalid' }, 'resolve'],
  ['a wrong password', { password: 'not this one' }, 'sign_in'],
  ['a missing database', { database: 'nowhere' }, 'database'],
  ['a metadata address', { host: '169.254.169.254' }, null],
]) {
  test(`${name} fails its step with a cause and a hint`, async () => {
    const result = await testDraft(over);
    assert.equal(result.success, false);
    const failed = result.steps.find((s) => !s.ok);
    assert.ok(failed, JSON.stringify(result));
    if (step) assert.equal(failed.name, step, JSON.stringify(result));
    assert.ok(failed.message.length > 5 && failed.hint.length > 5, JSON.stringify(failed));
    assert.ok(!JSON.stringify(result).includes(shop.password));
  });
}

for (const [name, body, field, words] of [
  ['a syntax error', { sql_query: 'SELEC 1' }, 'sql_query', /./],
  ['two statements', { sql_query: 'SELECT 1; DELETE FROM orders' }, 'sql_query', /second statement/i],
  ['a write', { sql_query: 'DELETE FROM orders' }, 'sql_query', /read/i],
  ['an undeclared parameter', { sql_query: 'SELECT :x' }, 'parameters', /:x.*declare/i],
  ['an unused parameter', { parameters: [{ name: 'y', param_type: 'string' }] }, 'parameters', /:y/],
  ['no description', { description: ' ' }, 'description', /description/],
  ['a bad name', { name: '1 tool' }, 'name', /letter/],
  ['an unknown field', { surprise: 1 }, 'surprise', /surprise|unknown/i],
]) {
  test(`a tool with ${name} is refused and not stored`, async () => {
    const res = await studio.request('POST', '/api/v1/tools', tool(body));
    assert.equal(res.status, 422, res.text);
    assert.ok(res.json.fields[field] ?? Object.keys(res.json.fields).some((f) => f.startsWith(`${field}.`)), res.text);
    assert.match(res.json.detail, words);
    assert.equal((await studio.api('GET', 'tools')).total, 0);
  });
}

test('a duplicate name is a conflict, also when only case and separators differ', async () => {
  const made = await studio.api('POST', 'tools', tool({ name: 'top_orders' }));
  for (const name of ['top_orders', 'Top-Orders', 'top.orders']) {
    const res = await studio.request('POST', '/api/v1/tools', tool({ name }));
    assert.equal(res.status, 409, res.text);
    assert.match(res.text, /top_orders/);
  }
  await studio.api('DELETE', `tools/${made.id}`);
});

test('a stale version is a conflict with the current state, and nothing is overwritten', async () => {
  const made = await studio.api('POST', 'tools', tool({}));
  const mine = await studio.api('PATCH', `tools/${made.id}`, { version: made.version, title: 'Mine' });
  const res = await studio.request('PATCH', `/api/v1/tools/${made.id}`, { version: made.version, title: 'Theirs' });
  assert.equal(res.status, 409, res.text);
  assert.equal(res.json.current.title, 'Mine');
  assert.equal(res.json.current.version, mine.version);
  await studio.api('DELETE', `tools/${made.id}`);
});

test('a body of 20 MB is refused as too large, and so is one at the MCP endpoint', async () => {
  const huge = JSON.stringify(tool({ description: 'x'.repeat(20 << 20) }));
  for (const path of ['/api/v1/tools', '/mcp']) {
    const { token } = path === '/mcp' ? await studio.api('POST', 'mcp-tokens', { name: 'big' }) : {};
    let status;
    try {
      status = (await studio.request('POST', path, huge, token ? { authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream' } : {})).status;
    } catch (e) {
      status = e.cause?.code; // the server may close before the whole body is sent
    }
    assert.ok(status === 413 || status === 'EPIPE' || status === 'ECONNRESET', `${path}: ${status}`);
  }
});

test('a changed host needs the password again', async () => {
  const res = await studio.request('PATCH', `/api/v1/connections/${connection.id}`, { version: connection.version, host: 'localhost' });
  assert.equal(res.status, 422, res.text);
  assert.ok(res.json.fields.password, res.text);
  // case 81: what came is sent back whole; the mask changes nothing
  const back = await studio.request('PATCH', `/api/v1/connections/${connection.id}`, { version: connection.version, name: connection.name, password: connection.password });
  assert.ok(back.status === 200, back.text);
  assert.equal((await studio.api('POST', `connections/${connection.id}/test`)).success, true);
  connection = await studio.api('GET', `connections/${connection.id}`);
});

test('a deploy with an invalid entity stops before anything is switched and names it', async () => {
  const made = await studio.api('POST', 'tools', tool({}));
  await studio.deploy();
  connection = await studio.api('PATCH', `connections/${connection.id}`, { version: connection.version, is_active: false });
  const res = await studio.request('POST', '/api/v1/deploy', {});
  assert.equal(res.status, 422, res.text);
  assert.match(res.text, /disabled/);
  assert.match(res.text, /orders/);
  const status = await studio.api('GET', 'deploy/status');
  assert.equal(status.status, 'running');
  connection = await studio.api('PATCH', `connections/${connection.id}`, { version: connection.version, is_active: true });
  await studio.api('DELETE', `tools/${made.id}`);
});

test('a kind without a driver is stored, and says so when it is used', async () => {
  const bq = await studio.api('POST', 'connections', { name: 'BQ', db_type: 'bigquery', extra_params: { project_id: 'p', credentials_json: '{"private_key":"canary-key"}' } });
  assert.equal(bq.extra_params.credentials_json, '••••••');
  assert.equal(bq.extra_params.project_id, 'p');
  const res = await studio.request('POST', `/api/v1/connections/${bq.id}/test`);
  assert.equal(res.status, 422, res.text);
  assert.equal(res.json.code, 'not_available');
});

test('nobody gets in without a session, and a page of another origin cannot write', async () => {
  const { cookie } = studio;
  studio.cookie = '';
  assert.equal((await studio.request('GET', '/api/v1/connections')).status, 401);
  studio.cookie = cookie;
  const cross = await studio.request('POST', '/api/v1/tools', tool({}), { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' });
  assert.equal(cross.status, 403, cross.text);
  const form = await studio.request('POST', '/api/v1/tools', JSON.stringify(tool({})), { 'content-type': 'text/plain' });
  assert.equal(form.status, 415, form.text);
});
