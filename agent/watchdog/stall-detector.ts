// Decides from looks at a loop (beats, sleep, the thread's own late beats) when a stall opens and
// when it closes. A pure state machine: time and looks come in, events go out.
//
// Two signs show a loop healthy: a new beat, or the thread asleep in its loop's own epoll. While it
// shows neither, silence grows; past the threshold a stall is open. The beat that ends it says how
// long the loop had really been busy, which gives start and length to the millisecond.

import type { Beat } from "../base/beat-cell";
import type { LateBeat, Stall } from "../model/stall";
import { type Ms, ms } from "../model/units";

/** One look at a watched loop. */
export interface Look {
  readonly nowMs: Ms;
  /** null before the loop's first turn. */
  readonly beat: Beat | null;
  /** Those written since the last look. */
  readonly lateBeats: readonly LateBeat[];
  /** null where the kernel does not tell. */
  readonly isAsleep: boolean | null;
}

export type StallEvent =
  | { readonly kind: "opened"; readonly stall: Stall }
  /** The loop turned after all, within the threshold: nothing happened. */
  | { readonly kind: "dismissed"; readonly stall: Stall }
  | { readonly kind: "closed"; readonly stall: Stall; readonly wasSeenLive: boolean };

export interface DetectorOptions {
  readonly threadId: number;
  /** Shortest stall. */
  readonly stallMs: Ms;
  /** Period of fast beats: a loop is silent for that long without being late. */
  readonly fastPeriodMs: Ms;
  /** Numbers the stalls. */
  readonly nextId: () => number;
}

export interface StallDetector {
  look(look: Look): readonly StallEvent[];
  /** The stall that is open now. */
  current(): Stall | null;
  /** Time without a healthy sign, as of the last look; 0 before the first beat. */
  silenceMs(): Ms;
  /** True when the loop beats slowly, yet was not asleep at the last two looks: ask it to beat fast. */
  wantsFastBeats(): boolean;
  /** Not asleep at the last look, though it beats slowly: look again soon. */
  isInDoubt(): boolean;
}

interface State {
  open: Stall | null;
  /** End of the last stall: a late beat up to then tells of no other. */
  closedMs: Ms;
  healthyMs: Ms | null;
  asleepMs: Ms | null;
  silenceMs: Ms;
  wantsFastBeats: boolean;
  /** At the last look. */
  wasAwake: boolean;
}

export function createStallDetector(options: DetectorOptions): StallDetector {
  const state: State = {
    open: null,
    closedMs: ms(0),
    healthyMs: null,
    asleepMs: null,
    silenceMs: ms(0),
    wantsFastBeats: false,
    wasAwake: false,
  };
  return {
    look(look) {
      if (look.beat === null) return [];
      const events = look.lateBeats.flatMap((late) => closeBy(options, state, late));
      noteHealth(state, look, look.beat);
      events.push(...openOrLapse(options, state, look));
      return events;
    },
    current: () => state.open,
    silenceMs: () => state.silenceMs,
    wantsFastBeats: () => state.wantsFastBeats,
    isInDoubt: () => state.wasAwake,
  };
}

/** A late beat ends the open stall, or tells of one that nobody saw live. */
function closeBy(options: DetectorOptions, state: State, late: LateBeat): StallEvent[] {
  const { startMs, uncertaintyMs } = startOf(state, late);
  const isLong = late.beatMs - startMs >= options.stallMs;
  const open = state.open;
  if (open !== null && late.beatMs <= open.startMs) return [];
  if (open === null && (!isLong || late.beatMs <= state.closedMs)) return [];
  state.open = null;
  state.closedMs = late.beatMs;
  const stall: Stall = {
    id: open?.id ?? options.nextId(),
    threadId: options.threadId,
    startMs,
    endMs: late.beatMs,
    uncertaintyMs,
  };
  if (isLong) return [{ kind: "closed", stall, wasSeenLive: open !== null }];
  return [{ kind: "dismissed", stall }];
}

/**
 * The loop was busy for (beat - previous - idle) before this beat. It cannot have been blocked
 * before it was last seen asleep. A thread that lost its time in its sleep (stopped, starved)
 * was not busy, but late: then the stall begins when the beat was due.
 */
function startOf(state: State, late: LateBeat): { startMs: Ms; uncertaintyMs: Ms } {
  const busyMs = late.beatMs - late.previousBeatMs - late.idleMs;
  const lateMs = late.beatMs - late.dueMs;
  if (lateMs > busyMs) return { startMs: late.dueMs, uncertaintyMs: ms(1) };
  const asleepMs = state.asleepMs !== null && state.asleepMs < late.beatMs ? state.asleepMs : 0;
  const startMs = Math.max(late.previousBeatMs, asleepMs, late.beatMs - busyMs);
  // Whatever else kept the loop busy since that sign counts as part of the stall.
  const otherMs = Math.max(
    0,
    Math.min(late.dueMs, late.beatMs) - Math.max(startMs, late.previousBeatMs),
  );
  return { startMs: ms(startMs), uncertaintyMs: ms(Math.min(otherMs, busyMs) + 1) };
}

function noteHealth(state: State, look: Look, beat: Beat): void {
  if (look.isAsleep === true) state.asleepMs = look.nowMs;
  state.healthyMs = ms(Math.max(state.healthyMs ?? 0, beat.atMs, state.asleepMs ?? 0));
  state.silenceMs = ms(Math.max(0, look.nowMs - state.healthyMs));
}

function openOrLapse(options: DetectorOptions, state: State, look: Look): StallEvent[] {
  const beat = look.beat as Beat;
  const isSlow = beat.periodMs > options.fastPeriodMs;
  const hadAsked = state.wantsFastBeats;
  // One look may have met it in the middle of a beat; two in a row did not.
  state.wantsFastBeats = isSlow && look.isAsleep === false && state.wasAwake;
  state.wasAwake = look.isAsleep === false;
  if (state.open !== null) return lapse(state, look, state.open);
  const isOverdue = state.silenceMs > options.stallMs + options.fastPeriodMs;
  // A slow loop owes no beat until it has been asked for one.
  if (!isOverdue || (isSlow && !hadAsked) || state.healthyMs === null) return [];
  state.open = {
    id: options.nextId(),
    threadId: options.threadId,
    startMs: state.healthyMs,
    endMs: null,
    uncertaintyMs: options.fastPeriodMs,
  };
  return [{ kind: "opened", stall: state.open }];
}

/** Open, asleep again, and yet no late beat: the heartbeat is gone or slow; sleep ends the stall. */
function lapse(state: State, look: Look, open: Stall): StallEvent[] {
  if (look.isAsleep !== true && state.healthyMs !== null && state.healthyMs <= open.startMs)
    return [];
  const endMs = state.healthyMs ?? look.nowMs;
  state.open = null;
  state.closedMs = endMs;
  const stall: Stall = { ...open, endMs };
  return [{ kind: "closed", stall, wasSeenLive: true }];
}
