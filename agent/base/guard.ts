// Our code inside theirs: whatever fails in a room of ours is caught here, counted and logged once,
// and the application gets what it would have got without us.

export interface Fault {
  readonly room: string;
  readonly error: unknown;
}

const counts = new Map<string, number>();
let report: ((fault: Fault, count: number) => void) | null = null;

/** The one listener for faults of this thread; called for each, so it must bound itself. */
export function onFault(listener: (fault: Fault, count: number) => void): void {
  report = listener;
}

export function countFault(room: string, error: unknown): void {
  const count = (counts.get(room) ?? 0) + 1;
  counts.set(room, count);
  report?.({ room, error }, count);
}

/** Runs `work`; a throw is counted under `room` and `fallback` returned. */
export function guard<T>(room: string, work: () => T, fallback: T): T {
  try {
    return work();
  } catch (error) {
    countFault(room, error);
    return fallback;
  }
}

/** Faults so far by room, for `loophound_internal_errors_total`. */
export const faultCounts = (): ReadonlyMap<string, number> => counts;
