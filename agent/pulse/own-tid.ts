// The kernel's id of the thread that asks. The one look of the application thread into /proc,
// once: proc_thread-self(5), Linux 3.17.

import { readlinkSync } from "node:fs";

/** null where /proc does not tell; then nothing can be learned of the thread from outside. */
export function ownTid(): number | null {
  try {
    const tid = Number(/\/task\/(\d+)$/.exec(readlinkSync("/proc/thread-self"))?.[1]);
    return Number.isInteger(tid) ? tid : null;
  } catch {
    return null; // not Linux, or /proc is not mounted: the caller reports it as missing evidence
  }
}
