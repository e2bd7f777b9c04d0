// A few words of shared memory by which the two threads ask something of each other at once,
// without an event loop having to turn first.

const portIndex = 0;
const releasePortIndex = 1;
const pendingIndex = 2;
const flushIndex = 3;
const rollCallIndex = 4;
const faultsIndex = 5;

export interface Signals {
  readonly buffer: SharedArrayBuffer;
  readonly cells: Int32Array;
}

export function createSignals(): SharedArrayBuffer {
  return new SharedArrayBuffer(32);
}

/** Named indexes of the cells; bare numbers appear nowhere else. */
export const signal = {
  /** TCP port that the watchdog listens on; 0 for none. Written by the watchdog. */
  port: portIndex,
  /** 1: the application wants that port, give it up; 2: it is free. */
  releasePort: releasePortIndex,
  /** How many incidents wait to be written; read by the exit hook. Written by the watchdog. */
  pending: pendingIndex,
  /** 1: the process exits, write what you have; 2: written. */
  flush: flushIndex,
  /**
   * Counts up when worker threads shall announce themselves (again); `rollCallNever` when there is no
   * watchdog any more. Written by the watchdog, and at its end by the main thread.
   */
  rollCall: rollCallIndex,
  /** Failures of our own code on the application thread, counted by guard. */
  faults: faultsIndex,
} as const;

export const rollCallNever = -1;

export const signalCells = (buffer: SharedArrayBuffer): Int32Array => new Int32Array(buffer);
