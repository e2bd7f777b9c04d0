// The watchdog's own timer: wakes as often as the watched thread needs to be looked at, and knows
// how late it was woken. A timer that is late proves nothing about anybody else.

import { performance } from "node:perf_hooks";
import { clearTimeout, setTimeout } from "node:timers";
import { type Ms, ms } from "../model/units";

export interface WatchLoopOptions {
  readonly nowMs: () => Ms;
  /** Time that this thread's loop has been busy since it began, with looks or with anything else. */
  readonly activeMs?: () => Ms;
  /**
   * One look; returns how long to sleep until the next. `lateMs`: how long this thread was kept from
   * running before it, not counting what it did itself meanwhile (a scrape, say).
   */
  readonly look: (nowMs: Ms, lateMs: Ms) => Ms;
}

export interface WatchLoop {
  /** Looks now instead of when it is due. */
  wake(): void;
  stop(): void;
}

export function startWatchLoop(options: WatchLoopOptions): WatchLoop {
  const activeMs = options.activeMs ?? (() => ms(performance.eventLoopUtilization().active));
  let slept = { dueMs: options.nowMs(), activeMs: activeMs() };
  let timer: NodeJS.Timeout | null = null;
  const look = (): void => {
    const nowMs = options.nowMs();
    const busyMs = activeMs() - slept.activeMs;
    const sleepMs = options.look(nowMs, ms(Math.max(0, nowMs - slept.dueMs - busyMs)));
    slept = { dueMs: ms(options.nowMs() + sleepMs), activeMs: activeMs() };
    timer = setTimeout(look, sleepMs);
  };
  const stop = (): void => clearTimeout(timer ?? undefined);
  look();
  return {
    stop,
    wake() {
      stop();
      look();
    },
  };
}
