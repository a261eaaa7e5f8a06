/**
 * The only place an API error becomes words. The server answers errors as
 * {detail, code, fields, request_id, current?}; `detail` and the messages in `fields` are already for a person; only their first letter is made a capital.
 * What the server cannot know (the network is gone, the page is old) is worded here.
 */
import { closed, sentence } from '@/lib/format';

/** The server's codes, as in the Go package store. */
const codes = [
  'malformed',
  'unauthorized',
  'forbidden',
  'wrong_password',
  'wrong_code',
  'not_found',
  'conflict',
  'stale',
  'too_large',
  'unsupported',
  'invalid',
  'not_available',
  'too_many',
  'unavailable',
  'internal',
] as const;
export type ErrorCode = (typeof codes)[number];

/** An answer of the server that is not a success. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    /** One sentence for a person. */
    readonly detail: string,
    /** What is wrong with which field; keys are JSON names, nested ones as `parameters.0.name`. */
    readonly fields: Readonly<Record<string, string>> = {},
    readonly requestId = '',
    /** Seconds after which trying again makes sense; 0 when unknown. */
    readonly retryAfter = 0,
    /** Further members of the body, for the few errors that carry some (users of a connection that is to be deleted). */
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }
}

/** 409 stale: somebody else saved first. Carries what is stored now. */
export class Conflict extends ApiError {
  override name = 'Conflict';
  constructor(
    error: ApiError,
    readonly current: unknown,
  ) {
    super(error.status, error.code, error.detail, error.fields, error.requestId, error.retryAfter, error.body);
  }
}

/** The server could not be reached: no network, a restart, a proxy without its backend. */
export class Offline extends Error {
  override name = 'Offline';
}

/** The session is over and the person left the sign-in dialog. */
export class SignedOut extends Error {
  override name = 'SignedOut';
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

const byStatus: Record<number, ErrorCode> = {
  400: 'malformed',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'too_large',
  415: 'unsupported',
  421: 'forbidden',
  422: 'invalid',
  429: 'too_many',
  503: 'unavailable',
};

const byCode: Record<ErrorCode, string> = {
  malformed: 'The server did not understand the request.',
  unauthorized: 'The session is over.',
  forbidden: 'This is not allowed.',
  wrong_password: 'The password is wrong.',
  wrong_code: 'The code is wrong.',
  not_found: 'It does not exist any more.',
  conflict: 'It is in conflict with something that exists.',
  stale: 'It was changed by someone else in the meantime.',
  too_large: 'It is larger than the server accepts.',
  unsupported: 'The server does not accept this kind of content.',
  invalid: 'Some values are not valid.',
  not_available: 'This server does not have that part.',
  too_many: 'There were too many attempts.',
  unavailable: 'The server is busy.',
  internal: 'The server made a mistake.',
};

/** Field names arrive as JSON names or as JSON pointers; forms want `parameters.0.name`. */
export function fieldPath(name: string): string {
  if (!name.startsWith('/')) return name.replaceAll(/\[(\d+)\]/g, '.$1');
  return name
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

/** Builds the error of an answer. `body` is the parsed JSON, or undefined when there was none. */
export function fromResponse(status: number, body: unknown, headers: Headers): ApiError {
  const given = record(body);
  const text = (key: string) => (typeof given[key] === 'string' ? given[key] : '');
  const code = codes.find((c) => c === given.code) ?? byStatus[status] ?? 'internal';
  const fields: Record<string, string> = {};
  for (const [name, message] of Object.entries(record(given.fields))) {
    if (typeof message === 'string') fields[fieldPath(name)] = sentence(message);
  }
  const retry = Number(headers.get('Retry-After'));
  const requestId = text('request_id') || (headers.get('X-Request-Id') ?? '');
  const detail = sentence(text('detail')) || byCode[code];
  const error = new ApiError(status, code, detail, fields, requestId, Number.isFinite(retry) ? retry : 0, given);
  return code === 'stale' ? new Conflict(error, given.current) : error;
}

/** Reads the error out of an answer that is not a success. */
export async function readError(response: Response): Promise<ApiError | Offline> {
  const isJson = response.headers.get('Content-Type')?.includes('json') ?? false;
  // A proxy answers these itself, without our JSON, while the server behind it restarts.
  if (!isJson && [502, 503, 504].includes(response.status)) return new Offline(describeOffline);
  const body: unknown = isJson ? await response.json().catch(() => undefined) : undefined;
  return fromResponse(response.status, body, response.headers);
}

const describeOffline = 'The server cannot be reached.';

/** The error of a fetch that never got an answer. */
export function fromNetwork(): Offline {
  return new Offline(describeOffline);
}

export interface Problem {
  /** What happened, in the server's words where it has any. */
  cause: string;
  /** What to do next, when that is not obvious from the cause. */
  next: string;
  /** For the person's report; empty when the server never saw the request. */
  requestId: string;
  /** Whether the same request may succeed later without a change. */
  canRetry: boolean;
}

/** Any thrown value as words. */
export function describe(error: unknown): Problem {
  if (error instanceof Offline) {
    return { cause: error.message, next: 'The page reconnects by itself.', requestId: '', canRetry: true };
  }
  if (error instanceof SignedOut) {
    return { cause: 'You are signed out.', next: 'Sign in to continue.', requestId: '', canRetry: true };
  }
  if (error instanceof ApiError) {
    return {
      cause: closed(error.detail),
      next: nextStep(error),
      requestId: error.requestId,
      canRetry: canRetry(error),
    };
  }
  return {
    cause: 'The page made a mistake.',
    next: 'Reload it. Unsaved changes are kept as a draft.',
    requestId: '',
    canRetry: false,
  };
}

function nextStep(error: ApiError): string {
  if (error.retryAfter > 0) return `Try again in ${wait(error.retryAfter)}.`;
  switch (error.code) {
    case 'stale':
      return 'Review the differences, then save again.';
    case 'unavailable':
      return 'Try again in a moment.';
    case 'internal':
      return 'Try again. If it stays, look for the request id in the server log.';
    case 'unauthorized':
      return 'Sign in to continue.';
    default:
      return '';
  }
}

function wait(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

/** Whether sending the same thing again can help. Also the rule by which queries retry on their own. */
export function canRetry(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || error.code === 'too_many';
  return error instanceof Offline || error instanceof SignedOut;
}

/** The field messages of an error, for a form; empty when the error is about something else. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ApiError ? error.fields : {};
}
