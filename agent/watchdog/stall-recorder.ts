// Collects evidence from the first suspicion until a stall is over: samples that find the thread in
// the same place become one sighting, with the time that they stand for.

import type { ForwardedCall, Interrupt, Interval, Sighting } from "../model/evidence";
import type { SyscallState } from "../model/snapshot";
import type { ThreadStack } from "../model/stack";
import { type Ms, ms } from "../model/units";
import type { NativePlace, RunningPlace } from "../stack/running-thread";
import { type InterruptLog, noInterrupts } from "./interrupt-log";
import type { CpuFigures, Witness } from "./witness";

/** More places than this in one stall are a storm of short calls: further ones are only counted. */
const sightingsMax = 64;
/** A stack costs the watchdog about a millisecond; this many tell a stall's story. */
const stacksMax = 16;
/** On CPU the thread moves on under more of the readings, and more of them are needed. */
const runningStacksMax = 32;
/** Beyond them, for a thread that is found in the same call again after short ones used up the others. */
const settledStacksMax = 8;
const gapsMax = 8;

export interface Recording {
  readonly sightings: readonly Sighting[];
  readonly interrupts: readonly Interrupt[];
  readonly onCpuMs: Ms | null;
  readonly runQueueMs: Ms | null;
  readonly majorFaults: number | null;
  readonly throttledMs: Ms | null;
  readonly measuredMs: Ms;
  readonly gaps: readonly string[];
}

export interface StallRecorder {
  /** A look that found the thread well: what it has used from here on belongs to what comes next. */
  calm(nowMs: Ms): void;
  /** One sample; `healthyMs` is the last healthy sign, since when the first sample stands. */
  sample(nowMs: Ms, healthyMs: Ms, state: SyscallState | null): void;
  /** True between the first sample and `take` or `discard`. */
  isRecording(): boolean;
  /** What is known so far of the stall; the time from the last sample to its end goes to the last sighting. */
  view(stall: Interval): Recording;
  /** The same with the figures of now, and starts anew. */
  take(stall: Interval, nowMs: Ms): Recording;
  discard(): void;
}

interface Mark {
  readonly atMs: Ms;
  readonly figures: CpuFigures;
}

/** It stands for the time since the last healthy sign, of which some may have passed before the stall. */
interface FirstSample {
  readonly key: string;
  readonly sinceMs: Ms;
  readonly weightMs: Ms;
}

/** One recording in the making. */
interface Draft {
  /** In order of their first sample. */
  readonly sightings: Map<string, Sighting>;
  readonly gaps: Set<string>;
  /** Of the sighting that the last sample belongs to; null: it was not examined. */
  newest: string | null;
  first: FirstSample | null;
  /** Where the last sample found it, and how many in a row did. */
  found: { readonly own: string; readonly looks: number };
  last: Mark | null;
  stacksRead: number;
  runningStacksRead: number;
}

const emptyDraft = (): Draft => ({
  sightings: new Map(),
  gaps: new Set(),
  newest: null,
  first: null,
  found: { own: "", looks: 0 },
  last: null,
  stacksRead: 0,
  runningStacksRead: 0,
});

export function createStallRecorder(
  witness: Witness,
  interrupts: InterruptLog = noInterrupts(null),
): StallRecorder {
  let draft = emptyDraft();
  let baseline: Mark | null = null;
  const discard = (): void => {
    draft = emptyDraft();
    interrupts.discard();
  };
  const finish = (stall: Interval, now: Mark | null): Recording => ({
    sightings: sightingsIn(draft, stall),
    interrupts: interrupts.view(stall.endMs),
    ...spent(baseline, now),
    gaps: [...draft.gaps, ...interrupts.gaps()],
  });
  return {
    calm(nowMs) {
      baseline = { atMs: nowMs, figures: witness.figures() };
    },
    sample(nowMs, healthyMs, state) {
      const mark = { atMs: nowMs, figures: witness.figures() };
      const passedMs = ms(Math.max(0, nowMs - (draft.last?.atMs ?? healthyMs)));
      const found = state?.kind === "outside" ? null : witness.running();
      const running = mayRun(state) ? found : null;
      const place = placeOf(state, found);
      const creditMs = creditPrevious(draft, state, mark, passedMs);
      const usedMs = isFirstSleepIn(draft, state, place) ? usedSince(draft, baseline, mark) : 0;
      const weightMs = ms(Math.max(0, passedMs - Math.max(creditMs, usedMs)));
      see(draft, witness, { state, running, place, mark, weightMs });
      if (draft.last === null) draft.first = firstOf(draft, healthyMs, weightMs);
      draft.last = mark;
      // Native code would answer when it is over; it is seen from outside, unless its calls are short.
      if (running?.kind !== "native" || isMoving(draft)) {
        interrupts.look(nowMs, ms(nowMs - healthyMs), state);
      }
    },
    isRecording: () => draft.last !== null,
    view: (stall) => finish(stall, draft.last),
    take(stall, nowMs) {
      const now = { atMs: nowMs, figures: witness.figures() };
      const recording = finish(stall, now);
      baseline = now;
      discard();
      return recording;
    },
    discard,
  };
}

/**
 * The time between two samples is the later one's, but for what the CPU figures assign: a thread that was
 * asleep and now runs slept for what it neither ran nor waited for a CPU; one that ran and now sleeps ran for
 * that. It matters where the watchdog was late. Returns what went to the sighting before.
 */
function creditPrevious(
  draft: Draft,
  state: SyscallState | null,
  mark: Mark,
  passedMs: Ms,
): number {
  const key = draft.newest;
  const previous = key === null ? undefined : draft.sightings.get(key);
  const usedMs = draft.last === null ? null : usedBetween(draft.last, mark);
  if (key === null || previous === undefined || state === null || usedMs === null) return 0;
  const isAsleep = state.kind === "blocked";
  const wasAsleep = previous.call !== null;
  if (isAsleep === wasAsleep) return 0;
  const creditMs = Math.min(Math.max(0, isAsleep ? usedMs : passedMs - usedMs), passedMs);
  const lastMs = ms(previous.lastMs + creditMs);
  const weightMs = ms(previous.weightMs + creditMs);
  draft.sightings.set(key, { ...previous, lastMs, weightMs });
  return creditMs;
}

const firstOf = (draft: Draft, sinceMs: Ms, weightMs: Ms): FirstSample | null =>
  draft.newest === null ? null : { key: draft.newest, sinceMs, weightMs };

/** Found asleep where it was not at the sample before: what it did in between, it did somewhere else. */
const isFirstSleepIn = (draft: Draft, state: SyscallState | null, place: string): boolean =>
  state?.kind === "blocked" && draft.newest?.startsWith(`${place} `) !== true;

/** What a sleeper cannot have slept; nobody's, if no sample met it. 0 where the kernel does not tell. */
function usedSince(draft: Draft, baseline: Mark | null, mark: Mark): number {
  const since = draft.last ?? baseline;
  return since === null ? 0 : (usedBetween(since, mark) ?? 0);
}

/** On a CPU or waiting for one; null where the kernel does not tell. */
function usedBetween(from: Mark, to: Mark): number | null {
  const { onCpuMs, runQueueMs } = spent(from, to);
  return onCpuMs === null || runQueueMs === null ? null : onCpuMs + runQueueMs;
}

interface Sample {
  readonly state: SyscallState | null;
  readonly running: RunningPlace | null;
  readonly place: string;
  readonly mark: Mark;
  readonly weightMs: Ms;
}

function see(draft: Draft, witness: Witness, sample: Sample): void {
  const { state, running, place, mark, weightMs } = sample;
  const forwarded = witness.forwarded();
  const inCall = nameOf(forwarded);
  const own = `${place} ${inCall}`;
  draft.found = foundAt(own, draft);
  // A reading that was refused because the thread moved is tried again.
  const stack = draft.sightings.get(own)?.stack ?? readStack(draft, witness, sample);
  const key = running?.kind === "native" && stack === null ? `${movingNative} ${inCall}` : own;
  const known = draft.sightings.get(key);
  const isNew = known === undefined && draft.sightings.size < sightingsMax;
  draft.newest = known !== undefined || isNew ? key : null;
  if (known !== undefined) {
    const sinceMs = ms(known.weightMs + weightMs);
    draft.sightings.set(key, { ...known, lastMs: mark.atMs, weightMs: sinceMs, stack });
  } else if (isNew) {
    draft.sightings.set(key, {
      firstMs: mark.atMs,
      lastMs: mark.atMs,
      weightMs,
      state: mark.figures.state,
      call: state === null ? null : witness.call(state),
      running: running?.kind ?? null,
      stack,
      forwarded,
    });
  } else {
    draft.gaps.add(`more than ${sightingsMax} places in one stall; later ones were not examined`);
  }
}

const foundAt = (own: string, { found }: Draft): Draft["found"] => ({
  own,
  looks: found.own === own ? found.looks + 1 : 1,
});

/** Native calls too short to be read: each is another place, and together they are one. */
const movingNative = "native, moving";
const isMoving = (draft: Draft): boolean => draft.newest?.startsWith(movingNative) === true;

function readStack(draft: Draft, witness: Witness, sample: Sample): ThreadStack | null {
  const { state, running } = sample;
  const stack =
    running?.kind === "native"
      ? readRunning(draft, witness, running)
      : readBlocked(draft, witness, state);
  for (const gap of stack?.gaps ?? []) if (draft.gaps.size < gapsMax) draft.gaps.add(gap);
  return stack;
}

function readRunning(draft: Draft, witness: Witness, place: NativePlace): ThreadStack | null {
  const reservedMax = draft.found.looks === 2 ? settledStacksMax : 0;
  if (draft.runningStacksRead >= runningStacksMax + reservedMax) return null;
  draft.runningStacksRead++;
  return witness.runningStack(place);
}

function readBlocked(
  draft: Draft,
  witness: Witness,
  state: SyscallState | null,
): ThreadStack | null {
  if (state?.kind !== "blocked" || draft.stacksRead >= stacksMax) return null;
  draft.stacksRead++;
  return witness.stack(state);
}

function sightingsIn(draft: Draft, { startMs, endMs }: Interval): readonly Sighting[] {
  return [...draft.sightings].map(([key, sighting]) => {
    const moreMs = key === draft.newest ? Math.max(0, endMs - sighting.lastMs) : 0;
    const lastMs = ms(sighting.lastMs + moreMs);
    const stallsMs = sighting.weightMs + moreMs - earlyMs(draft.first, key, startMs);
    const weightMs = ms(Math.min(stallsMs, Math.max(0, lastMs - startMs)));
    return { ...sighting, lastMs, weightMs };
  });
}

/** What the first sample took from before the stall: a loop at rest is looked at so rarely. */
const earlyMs = (first: FirstSample | null, key: string, startMs: Ms): number =>
  first?.key === key ? Math.min(first.weightMs, Math.max(0, startMs - first.sinceMs)) : 0;

/** Where the kernel does not say whether it runs, its memory may. */
const mayRun = (state: SyscallState | null): boolean => state === null || state.kind === "running";

const nameOf = (call: ForwardedCall | null): string =>
  call === null ? "" : `${call.module} ${call.function}`;

/**
 * Same place: same call at the same depth of stack and program counter, made by JavaScript at the same place, where
 * that can be told: one function may block in two lines. On CPU, called from the same place.
 */
function placeOf(state: SyscallState | null, found: RunningPlace | null): string {
  const native = found?.kind === "native" ? found : null;
  if (state?.kind === "blocked") {
    const call = `${state.number}(${state.args[0]})@${state.sp}:${state.pc}`;
    return native === null ? call : `${call}<${native.caller}`;
  }
  if (found !== null) return native === null ? "javascript" : `native@${native.key}`;
  if (state === null) return "unreadable";
  return state.kind === "running" ? "running" : `outside@${state.sp}:${state.pc}`;
}

function spent(first: Mark | null, last: Mark | null) {
  const between = <T extends number>(pick: (figures: CpuFigures) => T | null): T | null => {
    const from = first === null ? null : pick(first.figures);
    const to = last === null ? null : pick(last.figures);
    return from === null || to === null ? null : (Math.max(0, to - from) as T);
  };
  return {
    onCpuMs: between((figures) => figures.onCpuMs),
    runQueueMs: between((figures) => figures.runQueueMs),
    majorFaults: between((figures) => figures.majorFaults),
    throttledMs: between((figures) => figures.throttledMs),
    measuredMs: ms(first === null || last === null ? 0 : last.atMs - first.atMs),
  };
}
