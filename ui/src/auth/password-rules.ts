import { common } from './common-passwords';

export const shortest = 8;
export const longest = 256;
/** What is recommended while a password is the only factor. */
export const recommended = 15;

export interface Strength {
  /** The rule that is broken; empty when the server will take the password. The server decides: this only saves a trip. */
  broken: string;
  level: 'weak' | 'fair' | 'strong';
  hint: string;
}

/** Length counts, character classes do not (NIST SP 800-63B, section 3.1.1.2). */
export function judge(password: string, username: string): Strength {
  const text = password.normalize('NFC');
  const length = [...text].length;
  const broken = brokenRule(text, length, username);
  if (broken)
    return {
      broken,
      level: 'weak',
      hint: `At least ${shortest} characters. A few unrelated words are easy to remember.`,
    };
  if (length < recommended) {
    return { broken: '', level: 'fair', hint: `Good enough. ${recommended} characters or more are better.` };
  }
  return { broken: '', level: 'strong', hint: 'Long enough to be strong.' };
}

function brokenRule(text: string, length: number, username: string): string {
  if (length === 0) return 'Choose a password.';
  if (length < shortest) return `The password has ${length} of at least ${shortest} characters.`;
  if (length > longest) return `The password has ${length} characters; ${longest} are possible.`;
  if (text.trim() === '') return 'The password is only spaces.';
  const lower = text.toLowerCase();
  if (lower === username.trim().toLowerCase()) return 'The password is the same as the name.';
  if (isCommon(lower)) return 'This password is among the most common ones.';
  return '';
}

/** A common password stays one with digits or signs around it, and when a character is repeated throughout. */
function isCommon(lower: string): boolean {
  if (new Set(lower).size <= 2) return true;
  const core = lower.replaceAll(/^[^a-z]+|[^a-z]+$/g, '');
  return common.has(lower) || (core !== '' && common.has(core) && lower.length < recommended);
}
