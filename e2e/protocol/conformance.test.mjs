// The official MCP conformance suite against the product, once for each era. A project of ordinary entities; the baseline names
// the scenarios that ask for a server made of code, and the suite fails when one of them starts to pass.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conformance, fixture, node22 } from '../lib/conformance.mjs';
import { Shop } from '../lib/shop.mjs';
import { Studio } from '../lib/studio.mjs';

let studio, shop;
before(async () => {
  if (!node22()) return;
  shop = await Shop.create();
  studio = await Studio.start();
  await studio.setup();
  const connection = await studio.api('POST', 'connections', {
    name: 'Shop', db_type: 'postgresql', host: shop.host, port: shop.port, database: shop.name, username: shop.user, password: shop.password, ssl_mode: 'disable',
  });
  await fixture(studio, connection);
});
after(async () => {
  await studio?.stop();
  await shop?.drop();
});

const skip = node22() ? false : 'the suite needs Node.js 22: there is none here and no package of it for this machine';
for (const revision of ['2026-07-28', '2025-11-25']) {
  test(`every required scenario of ${revision}`, { skip }, async () => {
    const baseline = new URL(`conformance-${revision}.yml`, import.meta.url).pathname;
    const { code, output } = await conformance(`${studio.base}/mcp`, revision, baseline);
    assert.equal(code, 0, output);
  });
}
