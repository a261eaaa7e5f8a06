// Runs test files, two at a time: node run.mjs FILE…
//
// A file in which a test failed runs once more, alone, to tell a defect from a race on a busy machine: most tests of a file go on where the
// one before ended. What passes then does not fail the run, and is listed with what it said first. When more than a few files fail it is no
// race, and nothing is repeated. Every test that did not run here is listed with its reason.
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const atOnce = 2; // they wait for answers and timers half of the time
const most = 3; // files that are repeated
const timeout = 900_000;

const shown = (path) => relative(process.cwd(), path);

/** Runs the files. `failed` has what each failed test said, by file; `skipped` a line for each test that did not run. */
async function attempt(files, concurrency) {
  const failed = new Map();
  const skipped = new Set();
  const events = run({ files, concurrency, timeout, forceExit: true }); // what a set-up that failed left open must not keep its file waiting
  events.on('test:fail', ({ name, file, todo, details: { error } }) => {
    if (todo !== undefined && todo !== false) return;
    const path = files.find((f) => f === file || f === name) ?? file;
    const words = error.failureType === 'subtestsFailed' ? [] : [`${shown(path)}: ${name === path ? 'the file' : name}: ${String(error.cause?.message ?? error.cause ?? error.message).split('\n')[0]}`];
    failed.set(path, [...(failed.get(path) ?? []), ...words]);
  });
  events.on('test:pass', ({ name, file, skip }) => {
    if (skip !== undefined && skip !== false) skipped.add(`${shown(file ?? name)}: ${name}: ${skip}`);
  });
  for await (const text of events.compose(new spec())) process.stdout.write(text);
  return { failed, skipped };
}

function list(title, lines) {
  if (lines.length) console.log(`\n${title}:\n${lines.toSorted().map((line) => `  ${line}`).join('\n')}`);
}

const files = process.argv.slice(2).map((file) => resolve(file));
if (!files.length) throw new Error('no test files were named');
const first = await attempt(files, atOnce);
let second = first;
const again = [...first.failed.keys()];
if (again.length > most) console.log(`\n${again.length} files failed: too many for a race, none is repeated.`);
else if (again.length) {
  console.log(`\nOnce more, alone: ${again.map(shown).join(', ')}\n`);
  second = await attempt(again, 1);
}
list('Not run here', [...new Set([...first.skipped, ...second.skipped])]);
list('Failed once, passed alone (a race; please report)', [...first.failed].filter(([path]) => !second.failed.has(path)).flatMap(([, words]) => words));
list('Failed', [...second.failed.values()].flat());
process.exitCode = second.failed.size ? 1 : 0;
