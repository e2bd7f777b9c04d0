// Watches one thread: looks at its beats and at /proc, keeps the evidence while a stall goes on,
// and hands it over when the stall is over and the replies that it held up have been read.

import type { Beat, BeatReader } from "../base/beat-cell";
import type { GcReader } from "../base/gc-cell";
import type { StallEvidence } from "../model/evidence";
import { fastPeriodMs } from "../model/periods";
import type { SyscallState } from "../model/snapshot";
import type { Stall } from "../model/stall";
import { type Ms, ms } from "../model/units";
import type { CommandWatch } from "./command-watch";
import type { LostTime } from "./lost-time";
import { createPace } from "./pace";
import type { Parking } from "./parking";
import type { StallDetector, StallEvent } from "./stall-detector";
import type { Recording, StallRecorder } from "./stall-recorder";
import type { Witness } from "./witness";

/** Silence from which samples are taken: before a stall is certain, or its beginning would be lost. */
const suspiciousMs = ms(12);
/** The loop needs a moment after a stall to read the replies that waited; then blame is dealt out. */
const graceMs = ms(40);
/** A stall that goes on this long is published open: the process may be killed before it ends. */
const openAfterMs = ms(2000);

export interface ThreadWatchOptions {
  readonly threadId: number;
  readonly executable: string;
  readonly beats: BeatReader;
  readonly gc: GcReader;
  readonly witness: Witness;
  readonly detector: StallDetector;
  readonly recorder: StallRecorder;
  readonly commands: CommandWatch;
  /** For what a look does after something that may take long. */
  readonly clock: () => Ms;
  readonly lostTime: LostTime;
  readonly parking: Parking;
  /** Whether this thread may wait in Atomics.wait for something to do. */
  readonly mayPark: () => boolean;
}

export type WatchEvent =
  | { readonly kind: "stall-opened"; readonly stall: Stall }
  | { readonly kind: "stall-ongoing"; readonly evidence: StallEvidence }
  /** The loop turns again; the verdict follows. */
  | { readonly kind: "stall-ended"; readonly stall: Stall }
  | { readonly kind: "stall-closed"; readonly evidence: StallEvidence }
  | { readonly kind: "stall-dismissed"; readonly stall: Stall };

export interface ThreadWatch {
  look(nowMs: Ms): readonly WatchEvent[];
  /** When to look again at the latest. */
  nextLookMs(nowMs: Ms): Ms;
  wantsFastBeats(): boolean;
  current(): Stall | null;
  /** What is known of the stall that goes on; null while there is none. */
  preview(nowMs: Ms): StallEvidence | null;
  /** True once the kernel has no such thread any more. */
  isGone(): boolean;
  /** The thread has ended: closes what is open. Nothing is to be asked of this watch after. */
  end(nowMs: Ms): readonly WatchEvent[];
}

/** A stall that is over, in its moment of grace. */
interface Finished {
  readonly stall: Stall;
  readonly wasSeenLive: boolean;
  readonly recording: Recording;
  readonly unread: StallEvidence["unreadReplies"];
  readonly dueMs: Ms;
}

interface State {
  readonly options: ThreadWatchOptions;
  lateSeen: number;
  periodMs: Ms;
  lookedMs: Ms;
  isParked: boolean;
  isGone: boolean;
  finished: readonly Finished[];
  publishedOpenId: number;
  /** The stall that only the thread's own end ended. */
  cutShortId: number;
}

export function createThreadWatch(options: ThreadWatchOptions): ThreadWatch {
  const { detector, recorder } = options;
  const pace = createPace();
  const state: State = {
    options,
    lateSeen: 0,
    periodMs: ms(0),
    lookedMs: ms(0),
    isParked: false,
    isGone: false,
    finished: [],
    publishedOpenId: 0,
    cutShortId: 0,
  };
  return {
    look(nowMs) {
      const events = examine(state, nowMs).map((event) => react(state, event, nowMs));
      const isCalm = detector.current() === null && detector.silenceMs() < suspiciousMs;
      if (isCalm && recorder.isRecording()) forget(options);
      if (isCalm) recorder.calm(nowMs);
      return [...events, ...ongoing(state, nowMs), ...settle(state, nowMs, nowMs)];
    },
    nextLookMs: (nowMs) =>
      pace({ nowMs, silenceMs: detector.silenceMs(), isResting: isResting(state) }),
    wantsFastBeats: () => detector.wantsFastBeats(),
    current: () => detector.current(),
    preview(nowMs) {
      const stall = detector.current();
      return stall === null ? null : unfinished(state, stall, nowMs);
    },
    isGone: () => state.isGone,
    end: (nowMs) => end(state, nowMs),
  };
}

function isResting({ options, finished, periodMs, isParked }: State): boolean {
  const { detector, commands } = options;
  if (commands.isWaiting()) return false;
  const isSlow = (periodMs > fastPeriodMs || isParked) && !detector.isInDoubt();
  return isSlow && detector.current() === null && finished.length === 0;
}

function end(state: State, nowMs: Ms): readonly WatchEvent[] {
  const open = state.options.detector.current();
  state.cutShortId = open?.id ?? 0;
  const stalls = open === null ? [] : [{ ...open, endMs: nowMs }];
  const ended = stalls.map((stall) =>
    react(state, { kind: "closed", stall, wasSeenLive: true }, nowMs),
  );
  return [...ended, ...settle(state, ms(Number.POSITIVE_INFINITY), nowMs)];
}

function examine(state: State, nowMs: Ms): readonly StallEvent[] {
  const { beats, witness, detector, recorder, commands } = state.options;
  // In this order: whoever sleeps now has written the late beat that ended its stall before.
  const reading = witness.syscall();
  const since = beats.readSince(state.lateSeen);
  const syscall = reading.ok ? reading.value : null;
  state.isGone = !reading.ok && reading.why === "gone";
  const beat = since?.beat ?? null;
  state.lateSeen = beat?.lateCount ?? state.lateSeen;
  state.periodMs = beat?.periodMs ?? state.periodMs;
  const isAsleep = syscall === null ? null : isAtRest(state, syscall, beat, nowMs);
  state.lookedMs = nowMs;
  const events = detector.look({ nowMs, beat, lateBeats: since?.late ?? [], isAsleep });
  if (detector.silenceMs() >= suspiciousMs && isAsleep !== true) {
    // Before and after: the first stacks take long to read, and what lies unread is proof from when it is seen.
    commands.sampleUnread(nowMs);
    recorder.sample(nowMs, ms(nowMs - detector.silenceMs()), syscall);
    commands.sampleUnread(state.options.clock());
  }
  return events;
}

/**
 * Asleep in its loop, or parked. When a parked thread was woken, nobody knows: its work counts from
 * the look that finds it awake, which therefore still passes for rest.
 */
function isAtRest(
  state: State,
  syscall: SyscallState,
  beat: Beat | null,
  nowMs: Ms,
): boolean | null {
  const { witness, parking, detector, mayPark } = state.options;
  const isFresh = beat !== null && nowMs - beat.atMs <= beat.periodMs;
  const isAsleep = witness.isAsleepInLoop(syscall, isFresh);
  const wasParked = state.isParked;
  const healthyMs = Math.max(state.lookedMs - detector.silenceMs(), beat?.atMs ?? 0);
  const mayExamine = nowMs - healthyMs >= suspiciousMs;
  state.isParked = isAsleep !== true && mayPark() && parking.isParked(syscall, mayExamine);
  return state.isParked || wasParked || isAsleep;
}

function react(state: State, event: StallEvent, nowMs: Ms): WatchEvent {
  const { recorder, commands } = state.options;
  const { stall } = event;
  if (event.kind === "opened") return { kind: "stall-opened", stall };
  if (event.kind === "dismissed") {
    forget(state.options);
    return { kind: "stall-dismissed", stall };
  }
  const one: Finished = {
    stall,
    wasSeenLive: event.wasSeenLive,
    recording: recorder.take({ startMs: stall.startMs, endMs: stall.endMs ?? nowMs }, nowMs),
    unread: commands.takeUnread(),
    dueMs: ms(nowMs + graceMs),
  };
  state.finished = [...state.finished, one];
  return { kind: "stall-ended", stall };
}

function forget({ recorder, commands }: ThreadWatchOptions): void {
  recorder.discard();
  commands.takeUnread();
}

/** Evidence of the stalls whose moment of grace is over. */
function settle(state: State, dueMs: Ms, nowMs: Ms): WatchEvent[] {
  const due = state.finished.filter((one) => one.dueMs <= dueMs);
  if (due.length > 0) state.finished = state.finished.filter((one) => one.dueMs > dueMs);
  return due.map((one) => ({ kind: "stall-closed", evidence: evidenceOf(state, one, nowMs) }));
}

function ongoing(state: State, nowMs: Ms): WatchEvent[] {
  const stall = state.options.detector.current();
  if (stall === null || stall.id === state.publishedOpenId) return [];
  if (nowMs - stall.startMs < openAfterMs) return [];
  state.publishedOpenId = stall.id;
  return [{ kind: "stall-ongoing", evidence: unfinished(state, stall, nowMs) }];
}

function unfinished(state: State, stall: Stall, nowMs: Ms): StallEvidence {
  const { recorder, commands } = state.options;
  const recording = recorder.view({ startMs: stall.startMs, endMs: nowMs });
  return evidenceOf(
    state,
    { stall, wasSeenLive: true, recording, unread: commands.unread() },
    nowMs,
  );
}

function evidenceOf(state: State, one: Omit<Finished, "dueMs">, nowMs: Ms): StallEvidence {
  const { gc, commands, witness, executable, lostTime } = state.options;
  const { startMs } = one.stall;
  const endMs = one.stall.endMs ?? nowMs;
  return {
    ...one.recording,
    stall: one.stall,
    wasSeenLive: one.wasSeenLive,
    isCutShort: one.stall.id === state.cutShortId,
    gc: gc.overlapping(startMs, endMs),
    lost: lostTime.overlapping(startMs, endMs),
    unreadReplies: one.unread,
    commands: commands.chargedFor(one.stall, nowMs, one.unread),
    heartbeats: commands.exposedTo(startMs),
    experiments: commands.experiments(startMs, endMs),
    executable,
    gaps: [...witness.blindSpots, ...one.recording.gaps],
  };
}
