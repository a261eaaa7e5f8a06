// go-test.mjs over a small module of its own: what it repeats, what it lists, and what it exits with.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

let dir;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'go-test-'));
  writeFileSync(join(dir, 'go.mod'), 'module tried\n\ngo 1.26\n');
  // Which tests fail, and how often, is in the environment: "Name" always, "Name!" once. Each leaves a mark that it ran.
  writeFileSync(join(dir, 'tried_test.go'), `package tried

import ("os"; "strings"; "testing")

func run(t *testing.T) {
	_, err := os.Stat(t.Name())
	if err := os.WriteFile(t.Name(), nil, 0o600); err != nil { t.Fatal(err) }
	t.Run("sub", func(t *testing.T) {
		name, _, _ := strings.Cut(t.Name(), "/")
		for _, word := range strings.Fields(os.Getenv("FAILING")) {
			if word == name || word == name+"!" && err != nil { t.Error("the words of", name) }
		}
		if os.Getenv("PANICKING") == name { panic("the end of " + name) }
	})
}

func TestOne(t *testing.T)   { run(t) }
func TestTwo(t *testing.T)   { run(t) }
func TestThree(t *testing.T) { run(t) }
func TestFour(t *testing.T)  { run(t) }
func TestSkip(t *testing.T)  { t.Skip("because of a test") }
func TestMain(m *testing.M)  { code := m.Run(); if os.Getenv("LEAKING") != "" { code = 1 }; os.Exit(code) }
`);
});
after(() => rmSync(dir, { recursive: true }));

function tried(environ) {
  for (const name of ['TestOne', 'TestTwo', 'TestThree', 'TestFour']) rmSync(join(dir, name), { force: true });
  const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'go-test.mjs'), '-timeout', '1m', './...'],
    { cwd: dir, encoding: 'utf8', env: { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0', ...environ } });
  const [said, raced] = stdout.split('Failed once, passed alone (a race; please report):\n');
  return { status, said, raced, repeated: (stdout.match(/^Once more, alone: .*$/gm) ?? []).map((line) => line.replace(/.* /, '')) };
}

test('what passes is not repeated, and what is skipped is listed', () => {
  const { status, said, raced, repeated } = tried({});
  assert.deepEqual([status, raced, repeated], [0, undefined, []]);
  assert.match(said, /^ok {4}tried {2}\d/m);
  assert.match(said, /^Not run here \(1\):\n {2}tried TestSkip: because of a test$/m);
});

test('three that fail once are listed with their words, and the run passes', () => {
  const { status, said, raced, repeated } = tried({ FAILING: 'TestOne! TestTwo! TestFour!' });
  assert.deepEqual([status, repeated], [0, ['TestOne', 'TestTwo', 'TestFour']]);
  assert.match(said, /--- FAIL: TestOne/);
  assert.match(raced, /^ {2}tried TestOne\n(?: {4}.*\n)*.*the words of TestOne/m);
  assert.match(raced, /the words of TestFour/);
  assert.match(said, /TestSkip: because of a test/);
});

test('one that fails again fails the run, and the others are still told', () => {
  const { status, raced, repeated } = tried({ FAILING: 'TestOne! TestTwo' });
  assert.deepEqual([status, repeated], [1, ['TestOne', 'TestTwo']]);
  assert.match(raced, /tried TestOne/);
  assert.doesNotMatch(raced, /TestTwo/);
});

test('more than three are not repeated', () => {
  const { status, raced, repeated } = tried({ FAILING: 'TestOne! TestTwo! TestThree! TestFour!' });
  assert.deepEqual([status, raced, repeated], [1, undefined, []]);
});

for (const [what, environ] of Object.entries({
  'a package that panics': { FAILING: 'TestOne!', PANICKING: 'TestTwo' },
  'a package that fails without a test': { LEAKING: 'yes' },
  'a package that does not build': { GOFLAGS: '-tags=broken' },
})) {
  test(`${what} is not repeated`, () => {
    if (environ.GOFLAGS) writeFileSync(join(dir, 'broken_test.go'), '//go:build broken\n\npackage tried\n\nvar _ = nothing\n');
    const { status, raced, repeated } = tried(environ);
    assert.deepEqual([status, raced, repeated], [1, undefined, []]);
  });
}
