// What a rule is: it looks at the evidence of one stall and says how much of it one cause
// explains. It never decides; verdict.ts weighs what all of them say.

import type { Cause } from "../model/cause";
import type { StallEvidence } from "../model/evidence";
import type { Culprit, Evidence } from "../model/incident";

export interface Match {
  readonly cause: Cause;
  /** Part of the stall that this explains, 0 to 1. */
  readonly share: number;
  /** How sure the explanation is of that part, 0 to 1. */
  readonly certainty: number;
  readonly culprit: Culprit | null;
  readonly evidence: readonly Evidence[];
}

/** null: nothing speaks for this cause. */
export type Rule = (evidence: StallEvidence) => Match | null;

export function durationMs(evidence: StallEvidence): number {
  const { startMs, endMs } = evidence.stall;
  const lastSeenMs = evidence.sightings.at(-1)?.lastMs ?? startMs;
  return Math.max((endMs ?? lastSeenMs) - startMs, 1);
}

/** Part of the stall, 0 to 1. */
export const shareOf = (partMs: number, evidence: StallEvidence): number =>
  Math.min(1, partMs / durationMs(evidence));

/** Overlap of an interval with the stall, in milliseconds. */
export function overlapMs(startMs: number, endMs: number, evidence: StallEvidence): number {
  const stallEndMs = evidence.stall.startMs + durationMs(evidence);
  return Math.max(0, Math.min(endMs, stallEndMs) - Math.max(startMs, evidence.stall.startMs));
}

export const roundMs = (value: number): number => Math.round(value * 10) / 10;
