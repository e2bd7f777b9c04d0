// A token bucket: bounds what a storm can make us write.

import type { Ms } from "../model/units";

export interface Limiter {
  /** Takes one token; false if none is left, and then the drop is counted. */
  take(nowMs: Ms): boolean;
  /** Refused since the last call of this function. */
  drainRefused(): number;
}

/** `burst` tokens at once, refilled evenly over `perMs`. */
export function createLimiter(burst: number, perMs: Ms): Limiter {
  let tokens = burst;
  let last: Ms | null = null;
  let refused = 0;
  return {
    take(nowMs) {
      if (last !== null) tokens = Math.min(burst, tokens + ((nowMs - last) / perMs) * burst);
      last = nowMs;
      if (tokens >= 1) {
        tokens -= 1;
        return true;
      }
      refused++;
      return false;
    },
    drainRefused() {
      const count = refused;
      refused = 0;
      return count;
    },
  };
}
