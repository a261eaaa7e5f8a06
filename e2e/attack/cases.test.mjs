// The attack catalogue and what tests say of it, without running one of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue, covered, goCases, leftOut, numbers, wanted } from './cases.mjs';

test('the catalogue has each number once', () => {
  assert.deepEqual([...catalogue().keys()], Array.from({ length: 290 }, (_, i) => i + 1));
});

test('a test names cases that there are', () => {
  const known = catalogue();
  assert.deepEqual([...covered()].filter(([n]) => !known.has(n)), []);
});

test('each case of accounts, secrets, listeners and the child is named by a test, or left out for a reason', () => {
  const named = covered();
  assert.deepEqual(wanted.filter((n) => named.has(n) === leftOut.has(n)), []);
});

test('numbers in comments', () => {
  for (const [comment, want] of [['case 81', [81]], ['cases 2, 3 and 9', [2, 3, 9]], ['cases 227–229', [227, 228, 229]], ['case 13, cases 4-5', [13, 4, 5]], ['the case of 7', []]]) {
    assert.deepEqual(numbers(comment), want, comment);
  }
});

test('a comment counts for its test, that of a helper for the tests which call it, and that of a file for all', () => {
  const mark = '/'.repeat(2); // not a comment of this file
  const source = `package x\n${mark} case 1\nvar y = 1\n\n${mark} case 2\nfunc TestA(t *testing.T) {\n\thelp(t) ${mark} case 3\n}\n\nfunc TestB(t *testing.T) {}\n\n${mark} case 4\nfunc help(t *testing.T) {}\n`;
  assert.deepEqual(Object.fromEntries(goCases(source)), { TestA: [2, 3, 4, 1], TestB: [1] });
});
