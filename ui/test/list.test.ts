import { expect, test } from 'vitest';
import { listAddress, listQuery } from '@/components/list/address';
import { range } from '@/components/list/pager';
import { kindWord } from '@/pages/deploy/words';

test.each([
  [
    { search: 2024, sort: '-name', page: '3' },
    { search: '2024', sort: '-name', page: 3 },
  ],
  [{ search: '', sort: 'name', page: 1 }, {}],
  [{ search: {}, sort: 'password', page: -1 }, {}],
  [{ page: 1.5 }, {}],
  [{ page: '9007199254740993' }, {}],
])('the address %j is the list %j', (given, list) => expect(listAddress(given)).toEqual(list));

test('a list asks for one page', () => {
  expect(listQuery({})).toEqual({ limit: 50, skip: 0, sort: 'name' });
  expect(listQuery({ page: 3, search: 'x', sort: '-name' })).toEqual({
    limit: 50,
    skip: 100,
    sort: '-name',
    search: 'x',
  });
});

test.each([
  [1, 0, '0 of 0 tools'],
  [1, 1, '1 tool'],
  [1, 50, '50 tools'],
  [1, 51, '1–50 of 51 tools'],
  [2, 51, '51–51 of 51 tools'],
  [30, 1500, '1,451–1,500 of 1,500 tools'],
  [3, 51, '0 of 51 tools'],
])('page %d of %d is %s', (page, total, text) => expect(range(page, total, 'tool')).toBe(text));

test.each([
  ['server_config', 'Server settings'],
  ['tool', 'Tool'],
  ['something_new', 'Something new'],
])('a change of %s is about: %s', (type, word) => expect(kindWord(type)).toBe(word));
