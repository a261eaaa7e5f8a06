// run.mjs over small files of their own: what it repeats, what it lists, and what it exits with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

let dir;
before(() => { dir = mkdtempSync(join(tmpdir(), 'run-')); });
after(() => rmSync(dir, { recursive: true }));

const kinds = {
  good: `test('fine', () => {});`,
  skip: `test('left out', { skip: 'because of a test' }, () => {});`,
  once: `test('story', (t) => t.test('part', () => { if (turn === 1) throw new Error('the words of part'); }));`,
  always: `test('broken', () => { throw new Error('never right'); });`,
  load: `throw new Error('not loaded');`,
  open: `import { before } from 'node:test'; setInterval(() => {}, 1_000); before(() => { throw new Error('no browser'); }); test('fine', () => {});`,
  end: `import { after } from 'node:test'; test('fine', () => {}); after(() => { throw new Error('not ended'); });`,
};

/** Runs files of these kinds; each leaves a mark for every time it ran. */
function tried(...names) {
  for (const file of readdirSync(dir)) rmSync(join(dir, file));
  const files = names.map((kind, n) => {
    const file = `${n}-${kind}.test.mjs`;
    writeFileSync(join(dir, file), `import { test } from 'node:test';
import { existsSync, writeFileSync } from 'node:fs';
const turn = existsSync(${JSON.stringify(join(dir, `${n}.1`))}) ? 2 : 1;
writeFileSync(${JSON.stringify(join(dir, `${n}.`))} + turn, '');
${kinds[kind]}
`);
    return file;
  });
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // a run within a run reports to the outer one
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.mjs'), ...files], { cwd: dir, encoding: 'utf8', env, timeout: 45_000 });
  const part = (title) => stdout.split(`\n${title}:\n`)[1]?.split('\n\n')[0].trimEnd().split('\n').map((line) => line.trim());
  const repeated = names.flatMap((_, n) => (existsSync(join(dir, `${n}.2`)) ? [n] : []));
  return { status, repeated, left: part('Not run here'), raced: part('Failed once, passed alone (a race; please report)'), failed: part('Failed') };
}

test('what passes is not repeated, and what is skipped is listed', () => {
  assert.deepEqual(tried('good', 'skip'), { status: 0, repeated: [], left: ['1-skip.test.mjs: left out: because of a test'], raced: undefined, failed: undefined });
});

test('a file that fails once is repeated, without the others, and listed with its words', () => {
  assert.deepEqual(tried('good', 'once', 'good'), { status: 0, repeated: [1], left: undefined, raced: ['1-once.test.mjs: part: the words of part'], failed: undefined });
});

test('a file that fails twice fails the run, and the others are still told', () => {
  assert.deepEqual(tried('always', 'once'), { status: 1, repeated: [0, 1], left: undefined, raced: ['1-once.test.mjs: part: the words of part'], failed: ['0-always.test.mjs: broken: never right'] });
});

test('a file that leaves something open when its set-up fails ends all the same', { timeout: 60_000 }, () => {
  const { status, repeated, failed } = tried('good', 'open');
  assert.deepEqual([status, repeated, failed?.length > 0], [1, [1], true]);
});

for (const kind of ['load', 'end']) {
  test(`a file that fails without a test fails the run: ${kind}`, () => {
    const { status, repeated, failed } = tried('good', kind);
    assert.deepEqual([status, repeated, failed?.length], [1, [1], 1]);
  });
}

test('when many fail none is repeated', () => {
  const { status, repeated, failed } = tried('once', 'once', 'once', 'once');
  assert.deepEqual([status, repeated, failed?.length], [1, [], 4]);
});
