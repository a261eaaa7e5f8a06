/** Puts a token into a snippet. The token never leaves the page: the server only knows the placeholder. */
export function fillToken(code: string, placeholder: string, token: string): string {
  return token === '' ? code : code.replaceAll(placeholder, token);
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
