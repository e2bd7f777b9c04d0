// Brings together what was true and what an agent found. Pure.

import type { Finding } from "./finding";
import type { TrueStall, Truth } from "./truth";

/** Shorter blocks need not be found, and may be. */
export const stallFromMs = 50;
/** A thread that waited for a CPU for longer than this share of its block shows the machine, not the program. */
const disturbedShare = 0.5;

export interface Pair {
  readonly stall: TrueStall;
  readonly finding: Finding | null;
}

export interface Matched {
  readonly pairs: readonly Pair[];
  /** Found where nothing was, or a second time. */
  readonly extra: readonly Finding[];
  /** Stalls that the machine spoiled: neither counted for nor against. */
  readonly disturbed: readonly TrueStall[];
}

/** Each finding goes to the stall of its thread that it overlaps most; each stall gets the one that overlaps it most. */
export function match(truths: readonly Truth[], findings: readonly Finding[]): Matched {
  const stalls = truths.filter((truth) => truth.kind === "stall");
  const pairs = new Map<TrueStall, Finding>();
  const extra: Finding[] = [];
  const byOverlap = findings
    .map((finding) => ({ finding, stall: mostOverlapped(stalls, finding) }))
    .sort((a, b) => overlapOf(b) - overlapOf(a));
  for (const { finding, stall } of byOverlap) {
    if (stall !== null && !pairs.has(stall)) pairs.set(stall, finding);
    else if (!isExcused(truths, finding)) extra.push(finding);
  }
  const counted = stalls.filter((stall) => stall.durationMs >= stallFromMs);
  const disturbed = counted.filter(isDisturbed);
  return {
    pairs: counted
      .filter((stall) => !isDisturbed(stall))
      .map((stall) => ({ stall, finding: pairs.get(stall) ?? null })),
    extra,
    disturbed,
  };
}

const isDisturbed = (stall: TrueStall): boolean =>
  stall.cause !== "cpu-starved" && (stall.runQueueMs ?? 0) > stall.durationMs * disturbedShare;

interface Span {
  readonly threadId: number;
  readonly startEpochMs: number;
  readonly durationMs: number;
}

function mostOverlapped(stalls: readonly TrueStall[], finding: Finding): TrueStall | null {
  let best: TrueStall | null = null;
  for (const stall of stalls) {
    if (stall.threadId !== finding.threadId) continue;
    const overlap = overlapMs(stall, finding);
    if (overlap > 0 && (best === null || overlap > overlapMs(best, finding))) best = stall;
  }
  return best;
}

const overlapOf = ({ finding, stall }: { finding: Finding; stall: TrueStall | null }): number =>
  stall === null ? 0 : overlapMs(stall, finding);

/** On whatever thread: a program's preparation keeps several busy. */
const isExcused = (truths: readonly Truth[], finding: Finding): boolean =>
  truths.some(
    (truth) =>
      (truth.kind === "ignore" && overlapMs(truth, finding) > 0) ||
      // Cleaning up is no part of the experiment either.
      (truth.kind === "end" && finding.startEpochMs + finding.durationMs > truth.startEpochMs),
  );

const overlapMs = (a: Omit<Span, "threadId">, b: Omit<Span, "threadId">): number =>
  Math.min(a.startEpochMs + a.durationMs, b.startEpochMs + b.durationMs) -
  Math.max(a.startEpochMs, b.startEpochMs);
