// Codes of an authenticator app (RFC 6238, SHA-1, 30 s, six digits), each used once.
import { createHmac } from 'node:crypto';

const period = 30_000;
const typing = 10_000; // a code of the step before ends with this step, and has to arrive before that
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function decode(base32) {
  let bits = 0, value = 0;
  const bytes = [];
  for (const letter of base32.replaceAll(/[\s=]/g, '').toUpperCase()) {
    value = (value << 5) | alphabet.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 255);
    }
  }
  return Buffer.from(bytes);
}

function codeOf(key, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** An app on a phone. The server takes the step before, this one and the next, and none twice. */
export class Authenticator {
  #last = 0;

  constructor(secret) {
    this.key = decode(secret);
  }

  /** A code that the server will take during the next ten seconds and more; waits for one when those of the moment are used up. */
  async code() {
    const now = () => Math.floor(Date.now() / period);
    const next = () => Math.max(this.#last + 1, Math.floor((Date.now() + typing) / period) - 1);
    while (next() > now() + 1) await new Promise((done) => setTimeout(done, 500));
    this.#last = next();
    return codeOf(this.key, this.#last);
  }

  /** A code that no step near now has. */
  wrong() {
    const now = Math.floor(Date.now() / period);
    const near = new Set([-2, -1, 0, 1, 2].map((n) => codeOf(this.key, now + n)));
    return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.has(code));
  }
}
