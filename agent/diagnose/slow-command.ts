// Judges a command that took long for what it is although no stall of the loop explains it. Pure.

import type { Cause } from "../model/cause";
import { isWaiting } from "../model/constant-cost";
import type { Blame, Evidence } from "../model/incident";
import type { Ms } from "../model/units";
import { isTheLoops } from "./charge";
import { type Line, standingOf } from "./line";
import { catchUpMs, type Parts, partsOf, totalOf, type Wait } from "./parts";
import { roundMs } from "./rule";
import type { Finding } from "./server-word";

export interface SlowCommand extends Omit<Wait, "behind" | "unreadSeenMs"> {
  /** Who stood before it on its connection; null where that is not known. */
  readonly line: Line | null;
  /** What its own history says, where that made it conspicuous; null where a constant did. */
  readonly usual: { readonly p99Ms: Ms; readonly samples: number } | null;
}

export interface SlowVerdict {
  readonly cause: Cause;
  readonly confidence: number;
  readonly parts: Parts;
  readonly evidence: readonly Evidence[];
}

/** A part that explains less than half of a latency does not name its cause. */
const explainsFrom = 0.5;
/** The ledger's own times prove the queue. */
const queueCertainty = 0.95;

/** null: the loop explains most of it, and the stall's own incident tells of it. */
export function judgeSlowCommand(slow: SlowCommand): SlowVerdict | null {
  const { line, sentMs, settledMs, finding } = slow;
  const standing = standingOf(line, sentMs, settledMs, finding);
  const parts = partsOf({ ...slow, unreadSeenMs: null, behind: standing.behind });
  if (isTheLoops(parts) || mayBeTheLoops(slow, parts.blame)) return null;
  const cause = causeOf(parts.blame);
  return {
    cause,
    confidence: confidenceOf(cause, parts.blame, finding),
    parts,
    evidence: [
      ...(cause === "client-queue" ? notSent(slow, parts.blame) : []),
      ...standing.evidence,
      ...(finding?.evidence ?? []),
      ...unusual(slow, totalOf(parts.blame)),
      loopWas(parts.blame, cause),
    ],
  };
}

/** A stall covers most of what it took, and no experiment says that somebody else was slow. */
function mayBeTheLoops(slow: SlowCommand, blame: Blame): boolean {
  const { finding } = slow;
  if (finding?.kind === "server" || finding?.kind === "path") return false;
  const coveredMs = stalledMs(slow);
  return coveredMs > 0 && coveredMs >= lateMs(blame) * explainsFrom;
}

/** For how long the loop was stalled, or caught up, while the command was out. */
export function stalledMs({
  stalls,
  calledMs,
  settledMs,
}: Pick<SlowCommand, "stalls" | "calledMs" | "settledMs">): number {
  const overlaps = stalls.map(({ startMs, endMs }) =>
    Math.max(0, Math.min(settledMs, endMs + catchUpMs) - Math.max(calledMs, startMs)),
  );
  return overlaps.reduce((sum, part) => sum + part, 0);
}

/** What nobody asked for. */
const lateMs = (blame: Blame): number => totalOf(blame) - blame.intendedMs;

function causeOf(blame: Blame): Cause {
  const claims: readonly (readonly [Cause, number])[] = [
    ["client-queue", blame.queueMs],
    ["server-slow", blame.serverMs],
    ["network-slow", blame.networkMs],
  ];
  const [cause] = claims.find(([, partMs]) => partMs >= lateMs(blame) * explainsFrom) ?? [];
  return cause ?? "unknown";
}

function confidenceOf(cause: Cause, blame: Blame, finding: Finding | null): number {
  if (cause === "unknown") return 0;
  const partMs = Math.max(blame.queueMs, blame.serverMs, blame.networkMs);
  const certainty = cause === "client-queue" ? queueCertainty : (finding?.certainty ?? 0);
  const share = partMs / Math.max(lateMs(blame), 1);
  return Math.round(certainty * Math.min(1, 0.5 + share / 2) * 100) / 100;
}

function notSent({ calledMs, sentMs, settledMs }: SlowCommand, blame: Blame): readonly Evidence[] {
  const queuedMs = (sentMs ?? settledMs) - calledMs;
  if (queuedMs < lateMs(blame) * explainsFrom) return [];
  const whole = roundMs(totalOf(blame));
  const until = sentMs === null ? "and did not send it" : "before its bytes were sent";
  return [
    {
      kind: "not-sent",
      says: `the client held it back for ${roundMs(queuedMs)} of ${whole} ms ${until} (offline queue, pool or pipeline)`,
      queuedMs: roundMs(queuedMs),
    },
  ];
}

/** Why it is looked at, where the reason is not simply that it is a command of constant cost. */
function unusual(slow: SlowCommand, latencyMs: number): readonly Evidence[] {
  const { command, askedMs, usual } = slow;
  const tookMs = roundMs(latencyMs);
  if (usual !== null) {
    const p99Ms = roundMs(usual.p99Ms);
    const says = `99 of 100 of the last ${usual.samples} ${command} to that server took at most ${p99Ms} ms, this one ${tookMs} ms`;
    return [{ kind: "outside-its-history", says, p99Ms, samples: usual.samples }];
  }
  if (askedMs === null || !isWaiting(command, askedMs)) return [];
  const says = `it was asked to wait ${roundMs(askedMs)} ms at most and took ${tookMs} ms`;
  return [{ kind: "beyond-its-timeout", says, askedMs: roundMs(askedMs) }];
}

function loopWas(blame: Blame, cause: Cause): Evidence {
  const loopMs = roundMs(blame.loopMs);
  const rest =
    cause === "unknown"
      ? "; no experiment says whether the server or the network had the rest"
      : "";
  return {
    kind: "loop-was-free",
    says: `the loop held it up for ${loopMs} of its ${roundMs(totalOf(blame))} ms${rest}`,
    loopMs,
  };
}
