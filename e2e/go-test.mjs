// Runs `go test` with the given arguments. A line for each package as it ends, the output of what failed, and at the end every test
// that did not run here, with its reason: nothing is skipped silently.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const go = spawn('go', ['test', '-json', ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] });
const output = new Map(); // package and test → what it printed
const skipped = [];

/** The reason of a skip is the last line that names its file and line. */
function reason(text) {
  const lines = text.split('\n').map((line) => line.trim());
  const at = lines.findLastIndex((line) => /^\w+\.go:\d+: /.test(line));
  return at < 0 ? 'no reason given' : lines[at].replace(/^\w+\.go:\d+: /, '');
}

createInterface({ input: go.stdout }).on('line', (line) => {
  let e;
  try { e = JSON.parse(line); } catch { console.log(line); return; }
  const key = `${e.Package} ${e.Test ?? ''}`;
  if (e.Action === 'build-output') process.stdout.write(e.Output);
  if (e.Action === 'output') output.set(key, (output.get(key) ?? '') + e.Output);
  if (!['pass', 'fail', 'skip'].includes(e.Action)) return;
  const text = output.get(key) ?? '';
  output.delete(key);
  if (e.Action === 'fail') process.stdout.write(text);
  else if (!e.Test && e.Action === 'pass') console.log(`ok    ${e.Package}  ${e.Elapsed.toFixed(1)} s`);
  else if (e.Test && e.Action === 'skip') skipped.push(`${e.Package} ${e.Test}: ${reason(text)}`);
});

go.on('close', (code) => {
  if (skipped.length) console.log(`\nNot run here (${skipped.length}):\n${skipped.toSorted().map((s) => `  ${s}`).join('\n')}`);
  process.exitCode = code ?? 1;
});
