// make attack: runs every test that names a case of the attack catalogue, and says which cases are covered, which passed, and
// which are left out and why. Cases 1 to 108 and 199 to 252 must each be one of these.
import { spawnSync } from 'node:child_process';
import { catalogue, leftOut, root, tests, wanted } from './cases.mjs';

const { go, node } = tests();
const actions = catalogue();
const results = new Map(); // case → [{test, ok}]
const skipped = []; // tests that prove nothing in this run: a case that only they name is missing

function note(cases, test, ok) {
  for (const n of new Set(cases)) results.set(n, [...(results.get(n) ?? []), { test, ok }]);
}

/** Runs the named tests of one package; a skipped test proves nothing. */
function runGo(pkg, tests) {
  const args = ['test', '-json', '-timeout', '15m', '-run', `^(${[...tests.keys()].join('|')})$`, pkg];
  const { stdout, stderr } = spawnSync('go', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 30, env: { ...process.env, CGO_ENABLED: '0', STUDIO_ATTACK: '1' } });
  const outcome = new Map();
  const said = new Map(); // test → what it and its parts print
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const e = JSON.parse(line);
    const top = e.Test?.split('/')[0];
    if (top && e.Action === 'output') said.set(top, `${said.get(top) ?? ''}${e.Output}`.slice(-4000));
    if (e.Test && ['pass', 'fail', 'skip'].includes(e.Action)) outcome.set(e.Test, e.Action);
  }
  if (!outcome.size) console.log(stderr || stdout);
  for (const [test, what] of outcome) {
    if (what === 'fail' && tests.has(test)) console.log(`${what}: ${test}\n${said.get(test) ?? ''}`);
  }
  for (const [test, cases] of tests) {
    if (outcome.get(test) === 'skip') skipped.push(`${pkg} ${test}, cases ${[...new Set(cases)].join(', ')}: ${said.get(test).split('\n').find((l) => /^\s+\S+\.go:/.test(l))?.trim() ?? ''}`);
    else note(cases, `${pkg} ${test}`, outcome.get(test) === 'pass');
  }
}

function runNode(file, cases) {
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-timeout=600000', root + file], { cwd: `${root}e2e`, encoding: 'utf8', maxBuffer: 1 << 30, env: { ...process.env, STUDIO_ATTACK: '1' } });
  if (status !== 0) console.log(stdout);
  note(cases, file, status === 0);
}

for (const [pkg, tests] of [...go].sort(([a], [b]) => a.localeCompare(b))) {
  console.log(`${pkg}: ${tests.size} tests`);
  runGo(pkg, tests);
}
for (const [file, cases] of node) {
  console.log(file);
  runNode(file, cases);
}

const all = [...results.keys()].sort((a, b) => a - b);
const passed = all.filter((n) => results.get(n).every((r) => r.ok));
const failed = all.filter((n) => !passed.includes(n));
const missing = wanted.filter((n) => !results.has(n) && !leftOut.has(n));
const stale = [...leftOut.keys()].filter((n) => results.has(n));
const covered = wanted.filter((n) => results.has(n));
console.log(`\nCases 1–108 and 199–252: ${covered.length} of ${wanted.length} covered, ${covered.filter((n) => passed.includes(n)).length} passed, ${wanted.filter((n) => leftOut.has(n)).length} left out.`);
console.log(`All cases: ${all.length} covered, ${passed.length} passed.`);
for (const line of skipped) console.log(`skipped   ${line}`);
for (const n of failed) console.log(`FAILED  case ${n} (${actions.get(n)}): ${results.get(n).filter((r) => !r.ok).map((r) => r.test).join(', ')}`);
for (const n of missing) console.log(`MISSING case ${n} (${actions.get(n)}): no test names it and no reason is given`);
for (const n of stale) console.log(`STALE   case ${n}: listed as left out, but a test names it`);
for (const [n, why] of leftOut) console.log(`left out  ${String(n).padStart(3)}  ${why}`);
process.exit(failed.length || missing.length || stale.length ? 1 : 0);
