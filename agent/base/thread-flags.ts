// A few flags of one watched thread in shared memory: what it and the watchdog must know of each
// other without an event loop having to turn first.

export function createThreadFlags(): SharedArrayBuffer {
  return new SharedArrayBuffer(16);
}

/** Named indexes of the cells; 1 stands for true. */
export const threadFlag = {
  /** The watchdog can see from /proc that the loop sleeps, so slow beats are safe. Written by the watchdog. */
  idleProof: 0,
  /** It listens, or has made a client: others wait for this loop. Written by the thread. */
  serves: 1,
  /** Its JavaScript has come to an end; what is left is Node's own cleaning up. Written by the thread. */
  ended: 2,
} as const;

export const flagCells = (buffer: SharedArrayBuffer): Int32Array => new Int32Array(buffer);

export const hasFlag = (cells: Int32Array, index: number): boolean =>
  Atomics.load(cells, index) === 1;
