import type { ParamType } from './api';

/** The types of a parameter, in the order of a menu. */
export const paramTypes: readonly ParamType[] = ['string', 'integer', 'number', 'boolean', 'date', 'datetime', 'array'];

/** What an array may hold. */
export const itemTypes: readonly ParamType[] = ['string', 'integer', 'number', 'boolean'];

const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * One value as typed becomes JSON. What does not look like its type stays text: the server judges it and words the
 * mistake. `""` is the empty text, because nothing typed means no value.
 */
function scalarOf(text: string, type: ParamType): unknown {
  const trimmed = text.trim();
  if ((type === 'integer' || type === 'number') && number.test(trimmed)) {
    const value = Number(trimmed);
    const exact = type === 'number' || Number.isSafeInteger(value);
    return exact ? value : text;
  }
  if (type === 'boolean' && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true';
  if (type === 'string') return text === '""' ? '' : text;
  return trimmed;
}

/** Values with commas between them, or a JSON array when a value has a comma itself. */
export function listOf(text: string, type: ParamType): unknown[] {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    const parsed = parse(trimmed);
    if (Array.isArray(parsed)) return parsed;
  }
  return trimmed
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => scalarOf(part, type));
}

/** The JSON value of a field; undefined when nothing was typed. */
export function parsedValue(text: string, type: ParamType, itemType: ParamType): unknown {
  if (text.trim() === '') return undefined;
  return type === 'array' ? listOf(text, itemType) : scalarOf(text, type);
}

/** The inverse of parsedValue and listOf: what a stored value looks like in its field. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return textOfList(value);
  if (value === '') return '""';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function textOfList(values: readonly unknown[]): string {
  const plain = values.every((v) => v !== '' && !/^\s|\s$|,|^\[|^""$/.test(textOf(v)));
  return plain ? values.map(textOf).join(', ') : JSON.stringify(values);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
