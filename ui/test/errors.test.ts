import { expect, describe as group, test } from 'vitest';
import {
  ApiError,
  Conflict,
  canRetry,
  describe,
  fieldErrors,
  fieldPath,
  fromNetwork,
  fromResponse,
  Offline,
  readError,
} from '@/api/errors';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'Content-Type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers },
  });

group('an error answer', () => {
  test('keeps the words, the fields and the request id of the server', async () => {
    const error = await readError(
      answer(422, {
        detail: 'Two fields are wrong.',
        code: 'invalid',
        fields: {
          name: 'is taken',
          max_rows: 'max_rows is 1 to 100',
          '/parameters/0/name': 'is not a name',
          'parameters[1].pattern': 'does not compile',
        },
        request_id: '01JD',
      }),
    );
    expect(error).toBeInstanceOf(ApiError);
    expect(describe(error)).toEqual({ cause: 'Two fields are wrong.', next: '', requestId: '01JD', canRetry: false });
    expect(fieldErrors(error)).toEqual({
      name: 'Is taken',
      max_rows: 'max_rows is 1 to 100',
      'parameters.0.name': 'Is not a name',
      'parameters.1.pattern': 'Does not compile',
    });
  });

  test('ends its sentence, so that what to do next can follow', () => {
    const { cause, next } = describe(
      fromResponse(500, { detail: 'the store cannot be read: disk I/O error' }, new Headers()),
    );
    expect(`${cause} ${next}`).toMatch(/^The store cannot be read: disk I\/O error\. Try again\./);
  });

  test('that is stale carries what is stored now', async () => {
    const error = await readError(
      answer(409, { detail: 'Changed.', code: 'stale', fields: {}, current: { version: 8 } }),
    );
    expect(error).toBeInstanceOf(Conflict);
    expect((error as Conflict).current).toEqual({ version: 8 });
  });

  test('of another conflict is no stale version', async () => {
    const error = await readError(
      answer(409, { detail: 'The name is taken.', code: 'conflict', current: { used_by: [] } }),
    );
    expect(error).not.toBeInstanceOf(Conflict);
    expect((error as ApiError).body.current).toEqual({ used_by: [] });
  });

  test.each([
    [429, { 'Retry-After': '30' }, 'Try again in 30 s.'],
    [429, { 'Retry-After': '840' }, 'Try again in 14 min.'],
    [503, { 'Retry-After': '2' }, 'Try again in 2 s.'],
    [503, {}, 'Try again in a moment.'],
  ])('%d with %o says when to try again', (status, headers, next) => {
    expect(describe(fromResponse(status, { detail: 'No.' }, new Headers(headers))).next).toBe(next);
  });

  test.each([
    [400, 'malformed'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [413, 'too_large'],
    [500, 'internal'],
    [599, 'internal'],
  ])('%d without a body still has a code and words', (status, code) => {
    const error = fromResponse(status, undefined, new Headers({ 'X-Request-Id': 'r1' }));
    expect(error.code).toBe(code);
    expect(error.detail).toMatch(/\.$/);
    expect(error.requestId).toBe('r1');
  });

  test('with members of the wrong type is still an error', () => {
    const error = fromResponse(422, { detail: 7, code: 'no such code', fields: ['x'], request_id: {} }, new Headers());
    expect([error.code, error.fields, error.requestId]).toEqual(['invalid', {}, '']);
    expect(fromResponse(500, [1], new Headers()).code).toBe('internal');
  });

  test.each([502, 503, 504])('%d of a proxy, without our JSON, is a lost server', async (status) => {
    expect(await readError(answer(status, '<h1>Bad gateway</h1>'))).toBeInstanceOf(Offline);
  });

  test('503 in our JSON is the server itself', async () => {
    expect(await readError(answer(503, { detail: 'Busy.', code: 'unavailable' }))).toBeInstanceOf(ApiError);
  });
});

test('what is worth another try', () => {
  const of = (status: number, code = '') => canRetry(fromResponse(status, { code }, new Headers()));
  expect([of(500), of(503), of(429), of(404), of(409, 'stale'), of(422)]).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  expect(canRetry(fromNetwork())).toBe(true);
  expect(canRetry(new TypeError('x is undefined'))).toBe(false);
});

test('a mistake of the page does not show its internals', () => {
  expect(describe(new TypeError('cannot read properties of undefined')).cause).toBe('The page made a mistake.');
});

test('JSON pointers become form paths', () => {
  expect(fieldPath('/extra_params/a~1b~0c')).toBe('extra_params.a/b~c');
  expect(fieldPath('name')).toBe('name');
});
