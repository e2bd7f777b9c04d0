// Collects evidence from the first suspicion until a stall is over: consecutive samples that find
// the thread in the same place become one sighting, with the time that they stand for.

import type { ForwardedCall, Interrupt, Sighting } from "../model/evidence";
import type { SyscallState } from "../model/snapshot";
import type { ThreadStack } from "../model/stack";
import { type Ms, ms } from "../model/units";
import { type InterruptLog, noInterrupts } from "./interrupt-log";
import type { CpuFigures, Witness } from "./witness";

/** More places than this in one stall are a storm of short calls: further ones are only counted. */
const sightingsMax = 64;
/** A stack costs the watchdog about a millisecond; this many tell a stall's story. */
const stacksMax = 16;
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
  /** What is known so far; the time from the last sample to `endMs` goes to the last sighting. */
  view(endMs: Ms): Recording;
  /** The same with the figures of now, and starts anew. */
  take(endMs: Ms, nowMs: Ms): Recording;
  discard(): void;
}

interface Mark {
  readonly atMs: Ms;
  readonly figures: CpuFigures;
}

/** One recording in the making. */
interface Draft {
  readonly sightings: { readonly key: string; sighting: Sighting }[];
  readonly gaps: Set<string>;
  last: Mark | null;
  stacksRead: number;
}

const emptyDraft = (): Draft => ({
  sightings: [],
  gaps: new Set(),
  last: null,
  stacksRead: 0,
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
  const finish = (endMs: Ms, now: Mark | null): Recording => ({
    sightings: sightingsUntil(draft, endMs),
    interrupts: interrupts.view(endMs),
    ...spent(baseline, now),
    gaps: [...draft.gaps, ...interrupts.gaps()],
  });
  return {
    calm(nowMs) {
      baseline = { atMs: nowMs, figures: witness.figures() };
    },
    sample(nowMs, healthyMs, state) {
      const mark = { atMs: nowMs, figures: witness.figures() };
      const weightMs = ms(Math.max(0, nowMs - (draft.last?.atMs ?? healthyMs)));
      see(draft, witness, state, mark, weightMs);
      draft.last = mark;
      interrupts.look(nowMs, ms(nowMs - healthyMs), state);
    },
    isRecording: () => draft.last !== null,
    view: (endMs) => finish(endMs, draft.last),
    take(endMs, nowMs) {
      const now = { atMs: nowMs, figures: witness.figures() };
      const recording = finish(endMs, now);
      baseline = now;
      discard();
      return recording;
    },
    discard,
  };
}

function see(
  draft: Draft,
  witness: Witness,
  state: SyscallState | null,
  mark: Mark,
  weightMs: Ms,
): void {
  const forwarded = witness.forwarded();
  const key = `${placeOf(state)} ${nameOf(forwarded)}`;
  const newest = draft.sightings.at(-1);
  if (newest?.key === key) {
    newest.sighting = {
      ...newest.sighting,
      lastMs: mark.atMs,
      weightMs: ms(newest.sighting.weightMs + weightMs),
      // A reading that was refused because the thread moved is tried again.
      stack: newest.sighting.stack ?? readStack(draft, witness, state),
    };
  } else if (draft.sightings.length < sightingsMax) {
    const sighting: Sighting = {
      firstMs: mark.atMs,
      lastMs: mark.atMs,
      weightMs,
      state: mark.figures.state,
      call: state === null ? null : witness.call(state),
      stack: readStack(draft, witness, state),
      forwarded,
    };
    draft.sightings.push({ key, sighting });
  } else {
    draft.gaps.add(`more than ${sightingsMax} places in one stall; later ones were not examined`);
  }
}

function readStack(draft: Draft, witness: Witness, state: SyscallState | null): ThreadStack | null {
  if (state?.kind !== "blocked" || draft.stacksRead >= stacksMax) return null;
  draft.stacksRead++;
  const stack = witness.stack(state);
  for (const gap of stack?.gaps ?? []) if (draft.gaps.size < gapsMax) draft.gaps.add(gap);
  return stack;
}

function sightingsUntil(draft: Draft, endMs: Ms): readonly Sighting[] {
  const sightings = draft.sightings.map(({ sighting }) => sighting);
  const newest = sightings.pop();
  if (newest !== undefined) {
    const moreMs = Math.max(0, endMs - newest.lastMs);
    const lastMs = ms(newest.lastMs + moreMs);
    sightings.push({ ...newest, lastMs, weightMs: ms(newest.weightMs + moreMs) });
  }
  return sightings;
}

const nameOf = (call: ForwardedCall | null): string =>
  call === null ? "" : `${call.module} ${call.function}`;

/** Same place: same call at the same depth of stack and program counter. */
function placeOf(state: SyscallState | null): string {
  if (state === null) return "unreadable";
  if (state.kind === "running") return "running";
  const call = state.kind === "blocked" ? `${state.number}(${state.args[0]})` : "outside";
  return `${call}@${state.sp}:${state.pc}`;
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
