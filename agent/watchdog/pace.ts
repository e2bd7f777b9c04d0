// How long the watchdog sleeps between two looks. A wake-up and a look cost it 150 to 300 µs of CPU
// in a small VM, so it looks as rarely as the loop's state allows. Pure.

import { fastPeriodMs } from "../model/periods";
import { type Ms, ms } from "../model/units";

/** A busy loop, or one under suspicion, is looked at as often as it beats. */
const busyLookMs = fastPeriodMs;
/** A loop that has gone to rest: a block of 50 ms is still seen twice while it lasts. About 1 % of a core. */
const restingLookMs = ms(25);
/** After this long at rest the process counts as idle. */
const idleAfterMs = 10_000;
/**
 * About 0.3 % of a core. A request wakes the watchdog at once; a block that something else begins
 * (a timer, a message) is seen while it lasts if it lasts this long, and measured afterwards if not.
 */
const idleLookMs = ms(100);
/** Samples grow rarer as a stall lasts: nothing new is expected of it. */
const longStallLookMs = ms(50);
const longSilenceMs = 1000;

export interface LoopState {
  readonly nowMs: Ms;
  readonly silenceMs: Ms;
  /** The loop beats slowly, sleeps, and nothing waits to be judged. */
  readonly isResting: boolean;
}

/** Returns a function that tells, after each look, when to look again. */
export function createPace(): (loop: LoopState) => Ms {
  let restingSinceMs: Ms | null = null;
  return ({ nowMs, silenceMs, isResting }) => {
    restingSinceMs = isResting ? (restingSinceMs ?? nowMs) : null;
    if (silenceMs > longSilenceMs) return longStallLookMs;
    if (restingSinceMs === null) return busyLookMs;
    return nowMs - restingSinceMs >= idleAfterMs ? idleLookMs : restingLookMs;
  };
}
