// A few flags of one watched thread in shared memory: what it and the watchdog must know of each
// other without an event loop having to turn first.

export function createThreadFlags(): SharedArrayBuffer {
  return new SharedArrayBuffer(16);
}

/** Named indexes of the cells; 1 stands for true, but where a number is said to count. */
export const threadFlag = {
  /** The watchdog can see from /proc that the loop sleeps, so slow beats are safe. Written by the watchdog. */
  idleProof: 0,
  /** It listens, or has made a client: others wait for this loop. Written by the thread. */
  serves: 1,
  /** Its JavaScript has come to an end; what is left is Node's own cleaning up. Written by the thread. */
  ended: 2,
  /** Counts how often the watchdog has asked for fast beats. */
  beatsAsked: 3,
} as const;

export const flagCells = (buffer: SharedArrayBuffer): Int32Array => new Int32Array(buffer);

export const hasFlag = (cells: Int32Array, index: number): boolean =>
  Atomics.load(cells, index) === 1;

/** The watchdog's side: asks the thread to beat fast, without a message. */
export function askForBeats(cells: Int32Array): void {
  Atomics.add(cells, threadFlag.beatsAsked, 1);
  Atomics.notify(cells, threadFlag.beatsAsked);
}

/** ES2024, and not in the typings of ES2023; V8 has it since 8.7. */
interface AsyncAtomics {
  waitAsync(
    cells: Int32Array,
    index: number,
    value: number,
  ): { readonly async: boolean; readonly value: unknown };
}

/**
 * The thread's side: calls `listener` when it has been asked, also in an idle loop, which this does not
 * keep alive. A message would have Node load undici: see worker-channels. Returns a function that ends it.
 */
export function hearAsked(cells: Int32Array, listener: () => void): () => void {
  let isOn = true;
  const { waitAsync } = Atomics as unknown as AsyncAtomics;
  const wait = (): void => {
    const seen = Atomics.load(cells, threadFlag.beatsAsked);
    void Promise.resolve(waitAsync(cells, threadFlag.beatsAsked, seen).value).then(heard);
  };
  const heard = (): void => {
    if (!isOn) return;
    wait();
    listener();
  };
  wait();
  return () => {
    isOn = false;
  };
}
