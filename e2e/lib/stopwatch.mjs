// Time as a person at an idle machine has it.
import { readFileSync } from 'node:fs';

/** Microseconds in which a process of this machine was ready and got no processor (Linux, Documentation/accounting/psi.rst). */
function stalled() {
  try {
    return Number(/^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))[1]);
  } catch {
    return 0; // a kernel without pressure stall information: the time of the clock it is
  }
}

/** Runs from its making on, and not while the machine is too busy with other things. */
export class Stopwatch {
  #at = performance.now();
  #stalled = stalled();

  /** Milliseconds. */
  get elapsed() {
    return performance.now() - this.#at - (stalled() - this.#stalled) / 1_000;
  }
}
