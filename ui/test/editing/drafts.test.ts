import { describe, expect, test } from 'vitest';
import { parseDraft, placeFor } from '@/editing/drafts';
import { equal } from '@/editing/equal';
import { sameShape } from '@/editing/fields';

const text = (kept: unknown) => (typeof kept === 'string' ? kept : undefined);
const kept = { key: 'tool 1', form: 'new', base: { version: 3, form: 'old' }, aside: { limit: '5' }, at: 1000 };

describe('a draft', () => {
  test('is read as it was kept', () => {
    expect(parseDraft(kept, text)).toEqual(kept);
  });

  test.each([
    ['a form of another shape', { ...kept, form: 5 }],
    ['a base of another shape', { ...kept, base: { version: 3 } }],
    ['no version to begin from', { ...kept, base: { form: 'old' } }],
    ['no time', { ...kept, at: '2026-01-01' }],
    ['what an older page kept', { key: 'connection 1', value: {}, version: 3, at: 1000 }],
    ['nothing', undefined],
  ])('with %s is not taken', (_, value) => {
    expect(parseDraft(value, text)).toBeUndefined();
  });

  test('loses only what is no text of its page', () => {
    expect(parseDraft({ ...kept, aside: { limit: '5', other: 7 } }, text)?.aside).toEqual({ limit: '5' });
  });
});

describe('the place of a draft', () => {
  const at = (key: string, time: number) => ({ key, at: time });
  test.each([
    ['nothing waits', [], 'tool 1'],
    ['one waits', [at('tool 1', 5)], 'tool 1 2'],
    ['one waits in the second place', [at('tool 1 2', 5)], 'tool 1'],
    ['two wait', [at('tool 1 2', 5), at('tool 1', 7)], 'tool 1 3'],
    ['all are taken: the oldest gives way', [at('tool 1 2', 5), at('tool 1', 7), at('tool 1 3', 6)], 'tool 1 2'],
  ])('when %s', (_, waiting, place) => expect(placeFor('tool 1', waiting)).toBe(place));
});

describe('the shape of a form', () => {
  const blank = { name: '', tags: ['x'], content: {}, schema: undefined, on: true };
  test.each([
    [{ name: 'a', tags: [], content: { b: 1 }, on: false }, true],
    [{ name: 'a', tags: [], content: {}, on: false, schema: 7, more: 1 }, true],
    [{ name: 'a', tags: {}, content: {}, on: false }, false],
    [{ name: 'a', tags: [], content: null, on: false }, false],
    [{ name: 'a', tags: [], content: {} }, false],
    [null, false],
  ])('%j: %s', (value, fits) => expect(sameShape(value, blank)).toBe(fits));
});

describe('equal', () => {
  test.each<[unknown, unknown, boolean]>([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [Number.NaN, Number.NaN, true],
    [[1, [2]], [1, [2]], true],
    [[1], { 0: 1 }, false],
    [{ a: null }, {}, false],
    ['1', 1, false],
  ])('%j and %j: %s', (a, b, same) => expect(equal(a, b)).toBe(same));
});
