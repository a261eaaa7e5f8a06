// Runs `go test` with the given arguments. A line for each package as it ends, the output of what failed, and at the end every test
// that did not run here, with its reason: nothing is skipped silently.
//
// A few tests that fail run once more, each alone, to tell a defect from a race on a busy machine. What passes then does not fail the
// run, and is listed with what it said first. A package that did not build, panicked or failed by itself is not repeated.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const most = 3; // that are repeated: when more fail it is no race

/** The reason of a skip is the last line that names its file and line. */
function reason(text) {
  const lines = text.split('\n').map((line) => line.trim());
  const at = lines.findLastIndex((line) => /^\w+\.go:\d+: /.test(line));
  return at < 0 ? 'no reason given' : lines[at].replace(/^\w+\.go:\d+: /, '');
}

/** Runs `go test` and prints what it says. `failed` has the output by package and test, `broken` the packages that no test explains. */
async function goTest(args) {
  const go = spawn('go', ['test', '-json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { go.on('close', (code) => resolve(code ?? 1)); go.on('error', () => resolve(1)); });
  const run = { failed: new Map(), broken: new Set(), passed: new Set(), skipped: [] };
  const output = new Map(); // package and test → what it printed
  for await (const line of createInterface({ input: go.stdout })) {
    let e;
    try { e = JSON.parse(line); } catch { console.log(line); continue; }
    const key = `${e.Package} ${e.Test ?? ''}`;
    if (e.Action === 'build-output') process.stdout.write(e.Output);
    if (e.Action === 'output') {
      output.set(key, (output.get(key) ?? '') + e.Output);
      if (/^(panic|fatal error): /.test(e.Output)) run.broken.add(e.Package);
    }
    if (!['pass', 'fail', 'skip'].includes(e.Action)) continue;
    const text = output.get(key) ?? '';
    output.delete(key);
    const test = `${e.Package} ${e.Test?.split('/')[0]}`; // with its subtests
    if (e.Action === 'fail') {
      process.stdout.write(text);
      if (e.Test) run.failed.set(test, (run.failed.get(test) ?? '') + text);
      else if (![...run.failed.keys()].some((name) => name.startsWith(`${e.Package} `))) run.broken.add(e.Package);
    } else if (e.Test && e.Action === 'skip') run.skipped.push(`${key}: ${reason(text)}`);
    else if (e.Test) run.passed.add(key);
    else if (e.Action === 'pass') console.log(`ok    ${e.Package}  ${e.Elapsed.toFixed(1)} s`);
  }
  return { ...run, code: await ended };
}

/** Runs each failed test once more, alone, and returns those that pass then. */
async function repeat(failed, args) {
  const passed = [];
  for (const [name, first] of failed) {
    const [pkg, test] = name.split(' ');
    console.log(`\nOnce more, alone: ${name}`);
    const again = await goTest([...args.filter((a) => !a.startsWith('.')), '-count=1', '-run', `^${test}$`, pkg]);
    if (again.code === 0 && again.passed.has(name)) passed.push({ name, first });
  }
  return passed;
}

const args = process.argv.slice(2);
const { code, failed, broken, skipped } = await goTest(args);
const raced = failed.size > 0 && failed.size <= most && broken.size === 0 ? await repeat(failed, args) : [];
if (skipped.length) console.log(`\nNot run here (${skipped.length}):\n${skipped.toSorted().map((s) => `  ${s}`).join('\n')}`);
if (raced.length) console.log(`\nFailed once, passed alone (a race; please report):\n${raced.map((r) => `  ${r.name}\n${r.first.replace(/^(?=.)/gm, '    ')}`).join('\n')}`);
process.exitCode = failed.size > 0 && raced.length === failed.size ? 0 : code;
