/** A property of a tool's input schema, as far as a form needs it. */
export interface Property {
  type?: string;
  format?: string;
  description?: string;
  enum?: readonly unknown[];
  default?: unknown;
}

export interface InputSchema {
  properties: Readonly<Record<string, Property>>;
  required: readonly string[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a schema that came as JSON; what is not understood becomes a plain text field. */
export function readSchema(value: unknown): InputSchema {
  const schema = isRecord(value) ? value : {};
  const properties: Record<string, Property> = {};
  for (const [name, property] of Object.entries(isRecord(schema.properties) ? schema.properties : {})) {
    const p = isRecord(property) ? property : {};
    properties[name] = {
      type: typeof p.type === 'string' ? p.type : undefined,
      format: typeof p.format === 'string' ? p.format : undefined,
      description: typeof p.description === 'string' ? p.description : undefined,
      enum: Array.isArray(p.enum) ? p.enum : undefined,
      default: p.default,
    };
  }
  const required = Array.isArray(schema.required) ? schema.required.filter((r) => typeof r === 'string') : [];
  return { properties, required };
}

export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

/** What a person typed, as the argument of a call. */
function parseArgument(property: Property, text: string): Parsed {
  switch (property.type) {
    case 'integer':
      if (!/^-?\d+$/.test(text.trim())) return { ok: false, message: 'Write a whole number.' };
      return number(text);
    case 'number':
      if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim())) return { ok: false, message: 'Write a number.' };
      return number(text);
    case 'boolean':
      return { ok: true, value: text === 'true' };
    case 'array':
    case 'object':
      return json(text, property.type);
    default:
      return { ok: true, value: text };
  }
}

/** A number that a script cannot hold exactly is refused here: sending a rounded one would call with another value. */
function number(text: string): Parsed {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return { ok: false, message: 'This page cannot send an integer beyond 9,007,199,254,740,991 exactly.' };
  }
  return { ok: true, value };
}

function json(text: string, kind: 'array' | 'object'): Parsed {
  const example = kind === 'array' ? '["a", "b"]' : '{"a": 1}';
  try {
    const value: unknown = JSON.parse(text);
    const fits = kind === 'array' ? Array.isArray(value) : isRecord(value);
    return fits ? { ok: true, value } : { ok: false, message: `Write a JSON ${kind}, for example ${example}.` };
  } catch {
    return { ok: false, message: `Write a JSON ${kind}, for example ${example}.` };
  }
}

export interface Arguments {
  values: Record<string, unknown>;
  errors: Record<string, string>;
}

/** All typed arguments; empty optional ones are left out, so that the tool's own default or NULL applies. */
export function readArguments(schema: InputSchema, typed: Readonly<Record<string, string>>): Arguments {
  const out: Arguments = { values: {}, errors: {} };
  for (const [name, property] of Object.entries(schema.properties)) {
    const text = typed[name] ?? '';
    if (text === '') {
      if (schema.required.includes(name)) out.errors[name] = 'This argument is required.';
      continue;
    }
    const parsed = parseArgument(property, text);
    if (parsed.ok) out.values[name] = parsed.value;
    else out.errors[name] = parsed.message;
  }
  return out;
}
