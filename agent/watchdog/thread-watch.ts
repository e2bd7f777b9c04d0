// Watches one thread: looks at its beats and at /proc, keeps the evidence while a stall goes on,
// and hands it over when the stall is over and the replies that it held up have been read.

import type { BeatReader } from "../base/beat-cell";
import type { GcReader } from "../base/gc-cell";
import type { Interval, StallEvidence } from "../model/evidence";
import { fastPeriodMs } from "../model/periods";
import type { Stall } from "../model/stall";
import { type Ms, ms } from "../model/units";
import type { CommandWatch } from "./command-watch";
import { createPace } from "./pace";
import type { StallDetector, StallEvent } from "./stall-detector";
import type { Recording, StallRecorder } from "./stall-recorder";
import type { Witness } from "./witness";

/** Silence from which samples are taken: before a stall is certain, or its beginning would be lost. */
const suspiciousMs = ms(12);
/** The loop needs a moment after a stall to read the replies that waited; then blame is dealt out. */
const graceMs = ms(40);
/** A stall that goes on this long is published open: the process may be killed before it ends. */
const openAfterMs = ms(2000);
/** Our own delays kept, to compare with the stalls of the last minute. */
const lostKept = 64;
/** A wake-up this late means that we were kept from running. */
const lostFromMs = ms(10);

export interface ThreadWatchOptions {
  readonly threadId: number;
  readonly executable: string;
  readonly beats: BeatReader;
  readonly gc: GcReader;
  readonly witness: Witness;
  readonly detector: StallDetector;
  readonly recorder: StallRecorder;
  readonly commands: CommandWatch;
}

export type WatchEvent =
  | { readonly kind: "stall-opened"; readonly stall: Stall }
  | { readonly kind: "stall-ongoing"; readonly evidence: StallEvidence }
  /** The loop turns again; the verdict follows. */
  | { readonly kind: "stall-ended"; readonly stall: Stall }
  | { readonly kind: "stall-closed"; readonly evidence: StallEvidence }
  | { readonly kind: "stall-dismissed"; readonly stall: Stall };

export interface ThreadWatch {
  /** One look. `lateMs`: how much longer than planned the watchdog slept before it. */
  look(nowMs: Ms, lateMs: Ms): readonly WatchEvent[];
  /** When to look again at the latest. */
  nextLookMs(nowMs: Ms): Ms;
  wantsFastBeats(): boolean;
  current(): Stall | null;
  /** What is known of the stall that goes on; null while there is none. */
  preview(nowMs: Ms): StallEvidence | null;
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
  lost: readonly Interval[];
  finished: readonly Finished[];
  publishedOpenId: number;
}

export function createThreadWatch(options: ThreadWatchOptions): ThreadWatch {
  const { detector, recorder } = options;
  const pace = createPace();
  const state: State = {
    options,
    lateSeen: 0,
    periodMs: ms(0),
    lost: [],
    finished: [],
    publishedOpenId: 0,
  };
  return {
    look(nowMs, lateMs) {
      if (lateMs >= lostFromMs) {
        const interval = { startMs: ms(nowMs - lateMs), endMs: nowMs };
        state.lost = [...state.lost.slice(1 - lostKept), interval];
      }
      const events = examine(state, nowMs).map((event) => react(state, event, nowMs));
      const isCalm = detector.current() === null && detector.silenceMs() < suspiciousMs;
      if (isCalm && recorder.isRecording()) forget(options);
      if (isCalm) recorder.calm(nowMs);
      return [...events, ...ongoing(state, nowMs), ...settle(state, nowMs)];
    },
    nextLookMs: (nowMs) =>
      pace({ nowMs, silenceMs: detector.silenceMs(), isResting: isResting(state) }),
    wantsFastBeats: () => detector.wantsFastBeats(),
    current: () => detector.current(),
    preview(nowMs) {
      const stall = detector.current();
      return stall === null ? null : unfinished(state, stall, nowMs);
    },
  };
}

function isResting({ options, finished, periodMs }: State): boolean {
  const { detector } = options;
  const isSlow = periodMs > fastPeriodMs && !detector.isInDoubt();
  return isSlow && detector.current() === null && finished.length === 0;
}

function examine(state: State, nowMs: Ms): readonly StallEvent[] {
  const { beats, witness, detector, recorder, commands } = state.options;
  // In this order: whoever sleeps now has written the late beat that ended its stall before.
  const reading = witness.syscall();
  const since = beats.readSince(state.lateSeen);
  const syscall = reading.ok ? reading.value : null;
  const beat = since?.beat ?? null;
  state.lateSeen = beat?.lateCount ?? state.lateSeen;
  state.periodMs = beat?.periodMs ?? state.periodMs;
  const isFresh = beat !== null && nowMs - beat.atMs <= beat.periodMs;
  const isAsleep = syscall === null ? null : witness.isAsleepInLoop(syscall, isFresh);
  const events = detector.look({ nowMs, beat, lateBeats: since?.late ?? [], isAsleep });
  if (detector.silenceMs() >= suspiciousMs && isAsleep !== true) {
    recorder.sample(nowMs, ms(nowMs - detector.silenceMs()), syscall);
    commands.sampleUnread(nowMs);
  }
  return events;
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
    recording: recorder.take(stall.endMs ?? nowMs, nowMs),
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
function settle(state: State, nowMs: Ms): WatchEvent[] {
  const due = state.finished.filter((one) => one.dueMs <= nowMs);
  if (due.length > 0) state.finished = state.finished.filter((one) => one.dueMs > nowMs);
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
  const recording = recorder.view(nowMs);
  return evidenceOf(
    state,
    { stall, wasSeenLive: true, recording, unread: commands.unread() },
    nowMs,
  );
}

function evidenceOf(state: State, one: Omit<Finished, "dueMs">, nowMs: Ms): StallEvidence {
  const { gc, commands, witness, executable } = state.options;
  const { startMs } = one.stall;
  const endMs = one.stall.endMs ?? nowMs;
  return {
    ...one.recording,
    stall: one.stall,
    wasSeenLive: one.wasSeenLive,
    gc: gc.overlapping(startMs, endMs),
    lost: state.lost.filter((lost) => lost.startMs < endMs && lost.endMs > startMs),
    unreadReplies: one.unread,
    commands: commands.chargedFor(startMs, endMs, nowMs, one.unread),
    executable,
    gaps: [...witness.blindSpots, ...one.recording.gaps],
  };
}
