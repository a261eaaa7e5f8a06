// What tests of many pages begin with: a browser, and studios with and without content.
import { after, before } from 'node:test';
import { launch } from './browser.mjs';
import { populate } from './pages.mjs';
import { Shop } from './shop.mjs';
import { Studio } from './studio.mjs';
import { Sweep } from './sweep.mjs';

/**
 * Sets up before the tests of a file and clears away after them. Once the tests run, the returned object has `full`, a studio with something on every
 * page, the `ids` of what is in it, its `shop`, the `browser`, a `sweep`, and by these names the studios that were asked for: `empty` has an
 * admin and nothing else, `fresh` has not even that. One thing after the other: when one cannot be had, what was made before is known, and ended.
 */
export function stage(...more) {
  const on = {};
  const ends = [];
  before(async () => {
    on.shop = await Shop.create();
    ends.push(() => on.shop.drop());
    for (const name of ['full', ...more]) {
      on[name] = await Studio.start();
      ends.push(() => on[name].stop());
      if (name !== 'fresh') await on[name].setup();
    }
    on.ids = await populate(on.full, on.shop);
    on.browser = await launch();
    ends.push(() => on.browser.close());
    on.sweep = new Sweep(on.browser);
  });
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return on;
}
