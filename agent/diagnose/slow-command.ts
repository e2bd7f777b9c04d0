// Judges a command that took long for what it is although no stall of the loop explains it. Pure.
// The ledger alone can prove the client's own queue. Server and network cannot be told apart by it.

import type { Cause } from "../model/cause";
import { isBlocking, serverTimerMs } from "../model/constant-cost";
import type { Blame, Evidence } from "../model/incident";
import type { Ms } from "../model/units";
import { roundMs } from "./rule";

export interface SlowCommand {
  readonly command: string;
  readonly calledMs: Ms;
  readonly sentMs: Ms | null;
  readonly settledMs: Ms;
  /** Part of its latency in which the loop was stalled; already charged to those stalls. */
  readonly stalledMs: number;
  /** What it was asked to wait on the server; 0 for all but blocking commands. */
  readonly intendedMs: number;
  /** What its own history says, where that made it conspicuous; null where a constant did. */
  readonly usual: { readonly p99Ms: Ms; readonly samples: number } | null;
  /** Sent earlier on the same connection and answered no earlier than this one was. */
  readonly ahead: { readonly command: string; readonly settledMs: Ms } | null;
}

export interface SlowVerdict {
  readonly cause: Cause;
  readonly confidence: number;
  readonly blame: Blame;
  readonly evidence: readonly Evidence[];
}

const noBlame: Blame = {
  queueMs: 0,
  networkMs: 0,
  serverMs: 0,
  loopMs: 0,
  intendedMs: 0,
  unknownMs: 0,
};
/** A part that explains less than half of a latency does not name its cause. */
const explainsFrom = 0.5;

/** null: the loop explains most of it, and the stall's own incident tells of it. */
export function judgeSlowCommand(slow: SlowCommand): SlowVerdict | null {
  const latencyMs = slow.settledMs - slow.calledMs;
  const intendedMs = Math.min(slow.intendedMs, latencyMs);
  /** What nobody asked for. */
  const lateMs = latencyMs - intendedMs;
  const loopMs = Math.min(slow.stalledMs, lateMs);
  if (loopMs >= lateMs * explainsFrom) return null;
  const restMs = lateMs - loopMs;
  const queuedMs = Math.min(restMs, (slow.sentMs ?? slow.settledMs) - slow.calledMs);
  const parts = { ...noBlame, intendedMs, loopMs };
  const behind = headOfLine(slow);
  if (behind !== null) return behindAnother(behind.command, { ...parts, queueMs: restMs });
  const blame = { ...parts, queueMs: queuedMs, unknownMs: restMs - queuedMs };
  if (queuedMs >= lateMs * explainsFrom) return notSent(blame, latencyMs);
  const evidence = [...unusual(slow, latencyMs), notTheLoop(latencyMs, loopMs)];
  return { cause: "unknown", confidence: 0, blame, evidence };
}

/** A blocking command ahead on the same connection, answered just before: replies come in order. */
function headOfLine({ ahead, settledMs, intendedMs }: SlowCommand): SlowCommand["ahead"] {
  const isBlocked = ahead !== null && isBlocking(ahead.command);
  // One that waits on purpose itself began to when the one ahead had been answered.
  const ownMs = intendedMs === 0 ? 0 : intendedMs + serverTimerMs;
  return isBlocked && settledMs - ahead.settledMs < ownMs + inOrderMs ? ahead : null;
}
const inOrderMs = 5;

function behindAnother(ahead: string, blame: Blame): SlowVerdict {
  return {
    cause: "client-queue",
    confidence: 0.95,
    blame,
    evidence: [
      {
        kind: "head-of-line",
        says: `it stood behind ${ahead} on the same connection, and replies come in order`,
        ahead,
      },
    ],
  };
}

function notSent(blame: Blame, latencyMs: number): SlowVerdict {
  const { queueMs } = blame;
  return {
    cause: "client-queue",
    confidence: 0.95,
    blame,
    evidence: [
      {
        kind: "not-sent",
        says: `the client held it back for ${roundMs(queueMs)} of ${roundMs(latencyMs)} ms before its bytes were sent (offline queue, pool or pipeline)`,
        queuedMs: roundMs(queueMs),
      },
    ],
  };
}

/** Why it is looked at, where the reason is not simply that it is a command of constant cost. */
function unusual({ command, intendedMs, usual }: SlowCommand, latencyMs: number): Evidence[] {
  if (usual !== null) {
    const p99Ms = roundMs(usual.p99Ms);
    return [
      {
        kind: "outside-its-history",
        says: `99 of 100 of the last ${usual.samples} ${command} to that server took at most ${p99Ms} ms, this one ${roundMs(latencyMs)} ms`,
        p99Ms,
        samples: usual.samples,
      },
    ];
  }
  if (intendedMs === 0) return [];
  return [
    {
      kind: "beyond-its-timeout",
      says: `it was asked to wait ${roundMs(intendedMs)} ms at most and took ${roundMs(latencyMs)} ms`,
      askedMs: roundMs(intendedMs),
    },
  ];
}

const notTheLoop = (latencyMs: number, loopMs: number): Evidence => ({
  kind: "loop-was-free",
  says: `the loop was stalled for ${roundMs(loopMs)} of its ${roundMs(latencyMs)} ms; whether the server or the network had the rest was not measured`,
  loopMs: roundMs(loopMs),
});
