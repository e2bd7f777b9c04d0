// The application thread's heartbeat: an unref'd timer that stamps the beat cell. It must cost next
// to nothing, so it beats slowly while the loop has nothing to do, and the watchdog, which sees
// from /proc whether the loop sleeps, asks for fast beats as soon as it does not.

import { beatWriter } from "../base/beat-cell";
import { clearInterval, setInterval } from "../base/timers";
import { fastPeriodMs, slowPeriodMs } from "../model/periods";
import type { LateBeat } from "../model/stall";
import { type Ms, ms } from "../model/units";

/** A beat this much busier than the last is written to the ring, for the watchdog to measure stalls by. */
const busyRecordedMs = 12;
/** Fast beats with an idle loop before it slows down: one second. */
const idleBeatsToSlow = 100;
const idleShare = 0.97;

export interface HeartbeatOptions {
  readonly cell: SharedArrayBuffer;
  readonly nowMs: () => Ms;
  /** Time the loop has spent waiting for events: performance.nodeTiming.idleTime. */
  readonly idleMs: () => Ms;
  /** True once the watchdog can see sleep from outside; without that, slow beats would hide stalls. */
  readonly canBeSlow: () => boolean;
  /** Called when the period changes. */
  readonly onPace: (isSlow: boolean) => void;
  /** Called at each beat. */
  readonly onBeat?: () => void;
}

export interface Heartbeat {
  start(): void;
  /** Beats now and at the fast period from here on. */
  beatFast(): void;
  stop(): void;
}

interface PreviousBeat {
  readonly atMs: Ms;
  readonly idleMs: Ms;
}

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const writer = beatWriter(options.cell);
  let timer: NodeJS.Timeout | null = null;
  let periodMs: Ms = fastPeriodMs;
  let previous: PreviousBeat | null = null;
  let idleBeats = 0;

  function beat(): void {
    const atMs = options.nowMs();
    const idleMs = options.idleMs();
    const late = previous === null ? null : lateBeat(previous, { atMs, idleMs }, periodMs);
    pace(previous, { atMs, idleMs });
    previous = { atMs, idleMs };
    writer.beat(atMs, idleMs, periodMs, late);
    options.onBeat?.();
  }

  function pace(before: PreviousBeat | null, now: PreviousBeat): void {
    if (before === null || periodMs === slowPeriodMs) return;
    const isIdle = now.idleMs - before.idleMs >= (now.atMs - before.atMs) * idleShare;
    idleBeats = isIdle ? idleBeats + 1 : 0;
    if (idleBeats >= idleBeatsToSlow && options.canBeSlow()) repeat(slowPeriodMs);
  }

  function repeat(nextPeriodMs: Ms): void {
    clearInterval(timer ?? undefined);
    if (nextPeriodMs !== periodMs) options.onPace(nextPeriodMs === slowPeriodMs);
    periodMs = nextPeriodMs;
    idleBeats = 0;
    timer = setInterval(beat, periodMs).unref();
  }

  return {
    start() {
      if (timer !== null) return;
      repeat(fastPeriodMs);
      beat();
    },
    beatFast() {
      if (timer === null) return;
      beat();
      idleBeats = 0;
      if (periodMs !== fastPeriodMs) repeat(fastPeriodMs);
    },
    stop() {
      clearInterval(timer ?? undefined);
      if (periodMs === slowPeriodMs) options.onPace(false);
      timer = null;
      previous = null;
    },
  };
}

function lateBeat(before: PreviousBeat, now: PreviousBeat, periodMs: Ms): LateBeat | null {
  const idleMs = ms(now.idleMs - before.idleMs);
  const dueMs = ms(before.atMs + periodMs);
  const isBusy = now.atMs - before.atMs - idleMs >= busyRecordedMs;
  const isLate = now.atMs - dueMs >= busyRecordedMs;
  return isBusy || isLate ? { previousBeatMs: before.atMs, beatMs: now.atMs, idleMs, dueMs } : null;
}
