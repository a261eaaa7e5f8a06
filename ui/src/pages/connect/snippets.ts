import type { components } from '@/api/schema';

/** Puts a token into a text. The token never leaves the page: the server only knows the placeholder. */
export function fillToken(text: string, placeholder: string, token: string): string {
  return token === '' ? text : text.replaceAll(placeholder, token);
}

/** Whether the clients are told of a token at all: a server that asks for none says so in its snippets. */
export function asksForToken({ clients, token_placeholder }: components['schemas']['Guide']): boolean {
  return clients.some((c) => c.snippets.some((s) => `${s.code}${s.note}`.includes(token_placeholder)));
}

export const clientIds = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'other'] as const;
export type ClientId = (typeof clientIds)[number];

/** The name a new token gets: the client's, with a number when it is taken. */
export function tokenName(client: string, taken: readonly string[]): string {
  const names = new Set(taken);
  if (!names.has(client)) return client;
  let n = 2;
  while (names.has(`${client} ${n}`)) n += 1;
  return `${client} ${n}`;
}
