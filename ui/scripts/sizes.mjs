// Holds the build against the budgets of budgets.json; exits 1 when one is exceeded.
import fs from 'node:fs';
import { brotliCompressSync } from 'node:zlib';

const budgets = JSON.parse(fs.readFileSync(new URL('./budgets.json', import.meta.url), 'utf8'));
const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(fs.readFileSync(`${dist}.vite/manifest.json`, 'utf8'));

const sizes = new Map();
const kb = (file) => {
  if (!sizes.has(file)) {
    const raw = fs.readFileSync(dist + file);
    sizes.set(file, (/\.(woff2|png)$/.test(file) ? raw.length : brotliCompressSync(raw).length) / 1024);
  }
  return sizes.get(file);
};
const closure = (key, seen = new Set()) => {
  if (!seen.has(key)) {
    seen.add(key);
    for (const next of manifest[key].imports ?? []) closure(next, seen);
  }
  return seen;
};
const weigh = (keys) => {
  let js = 0;
  const css = new Set();
  for (const key of keys) {
    if (/\.js$/.test(manifest[key].file)) js += kb(manifest[key].file);
    for (const file of manifest[key].css ?? []) css.add(file);
  }
  return { js, css: [...css].reduce((sum, file) => sum + kb(file), 0) };
};

let exceeded = 0;
const report = (name, value, limit) => {
  const over = value > limit;
  if (over) exceeded++;
  console.log(
    `${over ? 'OVER' : 'ok  '} ${name.padEnd(52)} ${value.toFixed(1).padStart(7)} of ${limit} ${budgets.unit}`,
  );
};

const shell = closure('index.html');
for (const [entry, limit] of Object.entries(budgets.entries)) {
  const { js, css } = weigh(closure(entry));
  report(entry, js, limit);
  report(`${entry} css`, css, budgets.css);
}
// The shell loads these itself right after the first paint, on every page: a route does not add them again.
const resident = new Set(shell);
for (const key of budgets.resident) closure(key, resident);
for (const [key, item] of Object.entries(manifest)) {
  if (!item.isDynamicEntry) continue;
  const loaded = budgets.resident.includes(key) ? shell : resident;
  const added = weigh([...closure(key)].filter((k) => !loaded.has(k)));
  const isRoute = /^src\/pages\/.*-page\.tsx$/.test(key);
  report(`+ ${key}`, added.js + added.css, budgets.routes[key] ?? (isRoute ? budgets.otherRoute : budgets.lazy));
}
const assets = fs.readdirSync(`${dist}assets`).filter((f) => !/\.(br|gz)$/.test(f));
for (const font of assets.filter((f) => f.endsWith('.woff2'))) report(font, kb(`assets/${font}`), budgets.font);
report(
  'everything',
  assets.reduce((sum, f) => sum + kb(`assets/${f}`), 0),
  budgets.everything,
);
process.exit(exceeded ? 1 : 0);
