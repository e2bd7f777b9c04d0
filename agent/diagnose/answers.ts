// Divides the time in which JavaScript ran among the stacks that the thread gave when it was asked. Pure.

import type { Interrupt, Sighting, StallEvidence } from "../model/evidence";
import type { JsFrame } from "../model/stack";
import { ms } from "../model/units";
import { durationMs } from "./rule";

/** JavaScript answers at once (0.5 ms); a busy machine takes its time. Native code answers when it is over. */
const promptMs = 12;

export interface JsPiece {
  readonly js: readonly JsFrame[];
  readonly weightMs: number;
}

/** The stacks of JavaScript's own time and of native calls too short to be read, which it answered between. */
export function jsPieces(evidence: StallEvidence): readonly JsPiece[] {
  const spans = spansOf(evidence);
  const prompt = spans.filter(({ isPrompt }) => isPrompt);
  const answered = spans.filter(({ js }) => js.length > 0);
  // Where V8's isolate tells native code from JavaScript, the rest was JavaScript; else the answers tell.
  const unknownMs = weightOf(evidence, null) * (sum(prompt) / Math.max(1, sum(spans)));
  // V8 left no JavaScript for a callback of native code that the loop itself called: nobody has what was silent.
  const knownMs = Math.min(weightOf(evidence, "javascript"), sum(prompt));
  return [
    // What stands in a late answer is what ran after native code, not what ran long.
    ...divide(knownMs + unknownMs, prompt),
    // Late or not, it came between two of many calls.
    ...divide(weightOf(evidence, "native"), answered),
  ];
}

function divide(weightMs: number, spans: readonly Span[]): readonly JsPiece[] {
  const allMs = sum(spans);
  if (allMs === 0 || weightMs === 0) return [];
  return spans.map(({ js, lengthMs }) => ({ js, weightMs: (lengthMs / allMs) * weightMs }));
}

/** True if it answered at once at any time: then it was not in one native call all the while. */
export const hasAnsweredPromptly = ({ interrupts }: StallEvidence): boolean =>
  interrupts.some(isPrompt);

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
      isPrompt: isPrompt(interrupt) || isPrompt(withoutGc(interrupt, evidence)),
      lengthMs: Math.max(0, toMs - fromMs),
    };
  });
}

const middle = (first: Interrupt, second: Interrupt): number =>
  ((first.answeredMs ?? first.askedMs) + second.askedMs) / 2;

const isPrompt = ({ askedMs, answeredMs }: Interrupt): boolean =>
  answeredMs !== null && answeredMs - askedMs <= promptMs;

/** JavaScript does not answer before a collection is over. */
function withoutGc(interrupt: Interrupt, { gc }: StallEvidence): Interrupt {
  const { askedMs, answeredMs } = interrupt;
  if (answeredMs === null) return interrupt;
  const collectedMs = gc.reduce((total, { startMs, durationMs: lengthMs }) => {
    const overlap = Math.min(answeredMs, startMs + lengthMs) - Math.max(askedMs, startMs);
    return total + Math.max(0, overlap);
  }, 0);
  return { ...interrupt, answeredMs: ms(answeredMs - collectedMs) };
}

const sum = (spans: readonly Span[]): number =>
  spans.reduce((total, { lengthMs }) => total + lengthMs, 0);

/** Of native code without that which a stack or a forwarder tells of. */
const weightOf = (evidence: StallEvidence, running: Sighting["running"]): number =>
  evidence.sightings
    .filter((sighting) => sighting.call === null && sighting.running === running)
    .filter(({ stack, forwarded }) => running !== "native" || (stack ?? forwarded) === null)
    .reduce((total, { weightMs }) => total + weightMs, 0);
