// A stall: one episode in which a watched thread's loop did not turn.

import type { Ms } from "./units";

export interface Stall {
  /** Counts up from 1 within the watchdog's life. */
  readonly id: number;
  /** worker_threads' threadId; 0 is the main thread. */
  readonly threadId: number;
  readonly startMs: Ms;
  /** null while it goes on. */
  readonly endMs: Ms | null;
  /** How far start and length may be off, from what was seen of the loop around it. */
  readonly uncertaintyMs: Ms;
}

/** Two consecutive beats that were further apart than the period explains, as the thread itself saw it. */
export interface LateBeat {
  readonly previousBeatMs: Ms;
  readonly beatMs: Ms;
  /** When the second one had been due; later than `beatMs` if it was asked for out of turn. */
  readonly dueMs: Ms;
  /** Time that the loop spent waiting for events between the two; the rest it was busy. */
  readonly idleMs: Ms;
}
