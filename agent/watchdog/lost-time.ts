// When the watchdog thread itself was kept from running: whoever is silent in such a time may have
// been kept from running too. One log for all watched threads.

import type { LostInterval } from "../model/evidence";
import { type Ms, ms } from "../model/units";

/** Kept to compare with the stalls of the last minute. */
const lostKept = 64;
/** A wake-up this late means that we were kept from running. */
const lostFromMs = ms(10);
/** Its short waits for a CPU add up; those of longer ago are not to be taken for a late wake-up's. */
const readEveryMs = 1000;

export interface LostTime {
  /** At each wake-up. `lateMs`: how much longer than planned the watchdog slept. */
  note(nowMs: Ms, lateMs: Ms): void;
  overlapping(startMs: Ms, endMs: Ms): readonly LostInterval[];
}

/** `readWaitedMs`: how long this thread has waited for a CPU since it began; null where nobody tells. */
export function createLostTime(readWaitedMs: () => Ms | null): LostTime {
  let lost: readonly LostInterval[] = [];
  let readMs: Ms | null = null;
  let totalMs: Ms | null = null;
  function waitedSince(nowMs: Ms): Ms {
    const beforeMs = totalMs;
    totalMs = readWaitedMs();
    readMs = nowMs;
    return ms(beforeMs === null || totalMs === null ? 0 : Math.max(0, totalMs - beforeMs));
  }
  return {
    note(nowMs, lateMs) {
      const isLate = lateMs >= lostFromMs;
      if (!isLate && readMs !== null && nowMs - readMs < readEveryMs) return;
      const waitedMs = waitedSince(nowMs);
      if (!isLate) return;
      lost = [...lost.slice(1 - lostKept), { startMs: ms(nowMs - lateMs), endMs: nowMs, waitedMs }];
    },
    overlapping: (startMs, endMs) =>
      lost.filter((interval) => interval.startMs < endMs && interval.endMs > startMs),
  };
}
