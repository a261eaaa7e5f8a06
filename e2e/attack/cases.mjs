// The attack catalogue (docs/attacks.md), and which of its cases is proven by which test: read from the comments of the tests themselves
// ("// case 81").
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';

export const root = new URL('../../', import.meta.url).pathname;

/** The cases of accounts, secrets, listeners and the child: each is named by a test, or left out for a reason. */
export const wanted = [...range(1, 108), ...range(199, 252)];

/** Case → why no test names it. */
export const leftOut = new Map(Object.entries(JSON.parse(readFileSync(new URL('left-out.json', import.meta.url)))).map(([n, why]) => [Number(n), why]));

function range(from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Case → what is done in it, in the words of docs/attacks.md. */
export function catalogue() {
  const rows = readFileSync(`${root}docs/attacks.md`, 'utf8').matchAll(/^\| (\d+) \| (.*) \|$/gm);
  return new Map([...rows].map(([, n, cells]) => {
    const [, action] = cells.split(/(?<!\\) \| /);
    return [Number(n), action];
  }));
}

/** The numbers in "case 81", "cases 2, 3 and 9" or "cases 227–229". */
export function numbers(comment) {
  const out = [];
  for (const [, list] of comment.matchAll(/\bcases?\s+(\d+(?:\s*(?:,|and|–|-|or)\s*\d+)*)/g)) {
    for (const part of list.split(/,|and|or/)) {
      const [from, to = from] = part.trim().split(/\s*[–-]\s*/).map(Number);
      for (let n = from; n <= to && to - from < 100; n++) out.push(n);
    }
  }
  return out;
}

/**
 * The tests of one Go file and the cases each proves. A comment counts for the test it stands in or right before; in a helper it
 * counts for every test of the file that calls the helper.
 */
export function goCases(source) {
  const lines = source.split('\n');
  const functions = []; // {name, from, to}
  lines.forEach((line, i) => {
    const name = /^func (?:\([^)]*\) )?(\w+)/.exec(line)?.[1];
    if (!name) return;
    let from = i;
    while (from > 0 && /^\/\//.test(lines[from - 1])) from--;
    functions.push({ name, from, to: lines.length });
    if (functions.length > 1) functions.at(-2).to = from;
  });
  const found = new Map(); // test → cases
  const add = (test, cases) => found.set(test, [...(found.get(test) ?? []), ...cases]);
  for (const f of functions) {
    const text = lines.slice(f.from, f.to);
    const cases = text.flatMap((line) => (line.includes('//') ? numbers(line.slice(line.indexOf('//'))) : []));
    if (!cases.length) continue;
    if (/^(Test|Fuzz)/.test(f.name)) add(f.name, cases);
    else {
      const calls = new RegExp(`\\b${f.name}\\(`);
      for (const t of functions) if (/^(Test|Fuzz)/.test(t.name) && calls.test(lines.slice(t.from, t.to).join('\n'))) add(t.name, cases);
    }
  }
  // What stands above the first function, in a table or a variable, counts for the whole file.
  const head = lines.slice(0, functions[0]?.from ?? lines.length).flatMap((line) => (line.includes('//') ? numbers(line.slice(line.indexOf('//'))) : []));
  if (head.length) for (const f of functions) if (/^Test/.test(f.name)) add(f.name, head);
  return found;
}

/** Every test that names a case: {go: Map(package → Map(test → cases)), node: Map(file → cases)}. */
export function tests() {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*_test.go', 'e2e/**/*.test.mjs'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
  const go = new Map();
  const node = new Map();
  for (const file of files) {
    let source;
    try { source = readFileSync(root + file, 'utf8'); } catch { continue; } // deleted and not yet committed
    if (file.endsWith('.mjs')) {
      const cases = source.split('\n').flatMap((line) => (line.includes('//') ? numbers(line.slice(line.indexOf('//'))) : []));
      if (cases.length) node.set(file, cases);
      continue;
    }
    const pkg = `./${dirname(file)}`;
    for (const [test, cases] of goCases(source)) {
      if (!go.has(pkg)) go.set(pkg, new Map());
      go.get(pkg).set(test, [...(go.get(pkg).get(test) ?? []), ...cases]);
    }
  }
  return { go, node };
}

/** Case → the tests that name it. */
export function covered() {
  const found = new Map();
  const add = (cases, test) => { for (const n of new Set(cases)) found.set(n, [...(found.get(n) ?? []), test]); };
  const { go, node } = tests();
  for (const [pkg, named] of go) for (const [test, cases] of named) add(cases, `${pkg} ${test}`);
  for (const [file, cases] of node) add(cases, file);
  return found;
}
