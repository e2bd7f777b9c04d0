// The one clock of both threads: CLOCK_MONOTONIC in milliseconds since boot, comparable between
// threads because each adds its own performance.timeOrigin's offset once. Nothing else reads time.

import { performance } from "node:perf_hooks";
import { type Ms, ms } from "../model/units";

// Captured before the application can replace them (fake timers do).
const readPerformance = performance.now;
const readHrtime = process.hrtime.bigint;
const readWall = Date.now;

/** The tightest of a few readings: a preemption between the two clocks would shift every timestamp. */
function measureOffsetMs(): number {
  let offset = 0;
  let tightest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const before = readPerformance.call(performance);
    const monotonic = Number(readHrtime()) / 1e6;
    const after = readPerformance.call(performance);
    if (after - before < tightest) {
      tightest = after - before;
      offset = monotonic - (before + after) / 2;
    }
  }
  return offset;
}

const offsetMs = measureOffsetMs();

/** Monotonic milliseconds since boot, to about a microsecond. Costs about 50 ns. */
export function nowMs(): Ms {
  return ms(readPerformance.call(performance) + offsetMs);
}

/** A time of this thread's perf_hooks entries (`startTime`) on the common clock. */
export const fromPerformanceTime = (entryTimeMs: number): Ms => ms(entryTimeMs + offsetMs);

/**
 * Wall clock of a monotonic moment, in milliseconds since 1970. Asks the wall clock now, so that a
 * clock that was set in the meantime shows everywhere at once; only the outlets call it.
 */
export function toEpochMs(at: Ms): number {
  return readWall() - (nowMs() - at);
}

/** When this process began, by the wall clock of now, in milliseconds since 1970. */
export const processStartEpochMs = (): number => readWall() - process.uptime() * 1000;
