// Every page of the studio with what it is called and how its data can be missing.

/** A studio with something on every page, and one without anything. `ids` are the populated studio's. */
export async function populate(studio, shop) {
  await studio.api('POST', 'sample', {});
  await studio.until(async () => (await studio.api('GET', 'deploy/status')).status === 'running', 'the sample to serve');
  const connection = await studio.api('POST', 'connections', {
    name: 'Orders (production)', db_type: 'postgresql', host: shop.host, port: shop.port, database: shop.name, username: shop.user, password: shop.password, ssl_mode: 'disable', tags: ['production'],
  });
  await studio.api('POST', `connections/${connection.id}/test`);
  await studio.api('POST', 'connections', { name: 'Reporting', db_type: 'clickhouse', host: 'reporting.example.org', database: 'reports', username: 'reader', is_active: false });
  await studio.api('POST', 'tools', {
    connection_id: connection.id, name: 'customers_since', title: 'New customers', description: 'Customers that joined since a day, by country.', tags: ['sales'],
    sql_query: 'SELECT id, name, country, joined\nFROM customers\nWHERE joined >= :since\nORDER BY joined DESC\nLIMIT 50',
    parameters: [{ name: 'since', param_type: 'date', description: 'First day, for example 2026-01-31', is_required: true, sort_order: 0 }],
  });
  const tools = (await studio.api('GET', 'tools')).items;
  const sample = tools.find((t) => t.name === 'search_products');
  await studio.api('PATCH', `tools/${sample.id}`, { version: sample.version, description: 'Find products by a part of their name or category.' });
  const off = tools.find((t) => t.name === 'orders_by_status');
  await studio.api('PATCH', `tools/${off.id}`, { version: off.version, is_enabled: false });
  const config = await studio.api('GET', 'server/config');
  await studio.api('PATCH', 'server/config', { version: config.version, server_name: 'shop-tools', instructions: 'Read-only access to the shop.', global_variables: { currency: 'EUR', tax_rate: 0.19, show_prices: true } });
  const { token } = await studio.api('POST', 'mcp-tokens', { name: 'Claude Code' });
  await studio.api('POST', 'mcp-tokens', { name: 'Cursor on the laptop' });
  const found = (await studio.api('GET', 'tools')).items;
  return { connection: connection.id, tool: found.find((t) => t.name === 'top_customers').id, token };
}

/** The pages behind the sign-in: name, address, heading; `data` where the page shows nothing but the form when data is missing. */
export const pagesOf = (ids) => [
  ['home', '/', 'Home'],
  ['connections', '/connections', 'Connections'],
  ['connection-new', '/connections/new', 'Create connection'],
  ['connection', `/connections/${ids.connection}`, 'Orders (production)'],
  ['connection-schema', `/connections/${ids.connection}?tab=schema`, 'Orders (production)'],
  ['connection-used-by', `/connections/${ids.connection}?tab=used-by`, 'Orders (production)'],
  ['tools', '/tools', 'Tools'],
  ['tool-new', '/tools/new', 'Create tool'],
  ['tool', `/tools/${ids.tool}`, 'top_customers'],
  ['tool-definition', `/tools/${ids.tool}?tab=definition`, 'top_customers'],
  ['tool-history', `/tools/${ids.tool}?tab=history`, 'top_customers'],
  ['deploy', '/deploy', 'Deploy'],
  ['deploy-logs', '/deploy?tab=logs', 'Deploy'],
  ['deploy-revisions', '/deploy?tab=revisions', 'Deploy'],
  ['connect', '/connect', 'Connect'],
  ['security', '/security', 'Security'],
  ['sandbox', '/security?tab=sandbox', 'Security'],
  ['settings', '/settings/general', 'Settings'],
  ['variables', '/settings/variables', 'Settings'],
  ['encryption', '/settings/encryption', 'Settings'],
  ['account', '/account', 'Account'],
  ['not-found', '/no/such/page', 'Page not found'],
];
