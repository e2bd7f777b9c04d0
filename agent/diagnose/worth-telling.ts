// Whether a stall is told as an incident, or only counted in the metrics. Pure.
//
// Whoever blocks a main thread holds up everything the process does. A worker thread is where people
// put long work on purpose: that it computes is no news while nobody waits for its loop. What blocks
// it by name is, and so is whatever holds up commands, or a worker that serves.

import type { Incident } from "../model/incident";

export interface StalledThread {
  readonly isMain: boolean;
  /** It listens, or has made a client. */
  readonly serves: boolean;
  /** The stall ended with the thread: Node takes it apart in silence, which holds nobody up. */
  readonly isCutShort: boolean;
}

export function isWorthTelling(
  { culprit, commands }: Pick<Incident, "culprit" | "commands">,
  { isMain, serves, isCutShort }: StalledThread,
): boolean {
  // A culprit without a system call computes, be it in JavaScript or in native code.
  if (isMain || (culprit !== null && culprit.syscall !== null)) return true;
  return !isCutShort && (serves || commands.length > 0);
}
