// When the watchdog thread itself was kept from running: whoever is silent in such a time may have
// been kept from running too. One log for all watched threads. Pure.

import type { Interval } from "../model/evidence";
import { type Ms, ms } from "../model/units";

/** Kept to compare with the stalls of the last minute. */
const lostKept = 64;
/** A wake-up this late means that we were kept from running. */
const lostFromMs = ms(10);

export interface LostTime {
  /** At each wake-up. `lateMs`: how much longer than planned the watchdog slept. */
  note(nowMs: Ms, lateMs: Ms): void;
  overlapping(startMs: Ms, endMs: Ms): readonly Interval[];
}

export function createLostTime(): LostTime {
  let lost: readonly Interval[] = [];
  return {
    note(nowMs, lateMs) {
      if (lateMs < lostFromMs) return;
      lost = [...lost.slice(1 - lostKept), { startMs: ms(nowMs - lateMs), endMs: nowMs }];
    },
    overlapping: (startMs, endMs) =>
      lost.filter((interval) => interval.startMs < endMs && interval.endMs > startMs),
  };
}
