// Shared memory that says which forwarded native function a thread is in. The watched thread's
// forwarders write it around each call, the watchdog reads it while the call is still going on.

/** Of a thread that is in no forwarded call. */
export const noFunctionId = 0;

/**
 * The script that the forwarders are compiled as: their frames stand between a native function and
 * the JavaScript that called it, under this name, in error stacks and in stacks of blocked threads.
 */
export const forwarderScript = "loophound:forwarder";

export function createMarkerCell(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/**
 * For the forwarders: element 0 holds the id. They store it without Atomics, which would cost 13 to
 * 33 ns a call: the watchdog looks at calls of milliseconds, by when every store has arrived.
 */
export const markerCells = (cell: SharedArrayBuffer): Int32Array => new Int32Array(cell);

/** Returns what reads the id of the innermost forwarded call under way; `noFunctionId` for none. */
export function markerReader(cell: SharedArrayBuffer): () => number {
  const cells = markerCells(cell);
  return () => Atomics.load(cells, 0);
}
