// Divides the time in which JavaScript ran among the stacks that the thread gave when it was asked. Pure.

import type { Interrupt, StallEvidence } from "../model/evidence";
import type { JsFrame } from "../model/stack";
import { durationMs } from "./rule";

/** JavaScript answers at once (0.5 ms); a busy machine takes its time. Native code answers when it is over. */
const promptMs = 12;

export interface JsPiece {
  readonly js: readonly JsFrame[];
  readonly weightMs: number;
}

/** By prompt answers only: what stands in a late one is what ran after native code, not what ran long. */
export function jsPieces(evidence: StallEvidence): readonly JsPiece[] {
  const spans = spansOf(evidence);
  const promptMsTotal = sum(spans.filter(({ isPrompt }) => isPrompt));
  const allMs = sum(spans);
  if (promptMsTotal === 0) return [];
  // Where V8's isolate tells native code from JavaScript, the rest was JavaScript; else the answers tell.
  const knownMs = weightOf(evidence, "javascript");
  const unknownMs = weightOf(evidence, null) * (promptMsTotal / allMs);
  const scale = (knownMs + unknownMs) / promptMsTotal;
  return spans
    .filter(({ isPrompt }) => isPrompt)
    .map(({ js, lengthMs }) => ({ js, weightMs: lengthMs * scale }));
}

/** Time without a system call that no answer tells of, and in which nothing says that JavaScript ran. */
export function silentMs(evidence: StallEvidence): number {
  const spans = spansOf(evidence);
  const lateMs = sum(spans.filter(({ isPrompt }) => !isPrompt));
  return lateMs === 0 ? 0 : weightOf(evidence, null) * (lateMs / sum(spans));
}

interface Span {
  readonly js: readonly JsFrame[];
  readonly isPrompt: boolean;
  readonly lengthMs: number;
}

/** Each answer stands for the time around it, halfway to its neighbours. */
function spansOf(evidence: StallEvidence): readonly Span[] {
  const { interrupts, stall } = evidence;
  const endMs = stall.startMs + durationMs(evidence);
  return interrupts.map((interrupt, index) => {
    const before = interrupts[index - 1];
    const after = interrupts[index + 1];
    const fromMs = before === undefined ? stall.startMs : middle(before, interrupt);
    const toMs = after === undefined ? endMs : middle(interrupt, after);
    return {
      js: interrupt.js,
      isPrompt: isPrompt(interrupt),
      lengthMs: Math.max(0, toMs - fromMs),
    };
  });
}

const middle = (first: Interrupt, second: Interrupt): number =>
  ((first.answeredMs ?? first.askedMs) + second.askedMs) / 2;

const isPrompt = ({ askedMs, answeredMs }: Interrupt): boolean =>
  answeredMs !== null && answeredMs - askedMs <= promptMs;

const sum = (spans: readonly Span[]): number =>
  spans.reduce((total, { lengthMs }) => total + lengthMs, 0);

const weightOf = (evidence: StallEvidence, running: "javascript" | null): number =>
  evidence.sightings
    .filter((sighting) => sighting.call === null && sighting.running === running)
    .reduce((total, { weightMs }) => total + weightMs, 0);
