// Judges a command of constant cost that took long although no stall of the loop explains it. Pure.
// The ledger alone can prove the client's own queue. Server and network cannot be told apart by it.

import type { Cause } from "../model/cause";
import { isBlocking } from "../model/constant-cost";
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
  const loopMs = Math.min(slow.stalledMs, latencyMs);
  if (loopMs >= latencyMs * explainsFrom) return null;
  const queuedMs = Math.min(latencyMs - loopMs, (slow.sentMs ?? slow.settledMs) - slow.calledMs);
  const behind = headOfLine(slow);
  if (behind !== null) return behindAnother(behind.command, latencyMs, loopMs);
  if (queuedMs >= latencyMs * explainsFrom) return notSent(queuedMs, latencyMs, loopMs);
  const blame = {
    ...noBlame,
    queueMs: queuedMs,
    loopMs,
    unknownMs: latencyMs - queuedMs - loopMs,
  };
  return { cause: "unknown", confidence: 0, blame, evidence: [notTheLoop(latencyMs, loopMs)] };
}

/** A blocking command ahead on the same connection, answered just before: replies come in order. */
function headOfLine({ ahead, settledMs }: SlowCommand): SlowCommand["ahead"] {
  const isBlocked = ahead !== null && isBlocking(ahead.command);
  return isBlocked && settledMs - ahead.settledMs < inOrderMs ? ahead : null;
}
const inOrderMs = 5;

function behindAnother(ahead: string, latencyMs: number, loopMs: number): SlowVerdict {
  return {
    cause: "client-queue",
    confidence: 0.95,
    blame: { ...noBlame, queueMs: latencyMs - loopMs, loopMs },
    evidence: [
      {
        kind: "head-of-line",
        says: `it stood behind ${ahead} on the same connection, and replies come in order`,
        ahead,
      },
    ],
  };
}

function notSent(queuedMs: number, latencyMs: number, loopMs: number): SlowVerdict {
  return {
    cause: "client-queue",
    confidence: 0.95,
    blame: { ...noBlame, queueMs: queuedMs, loopMs, unknownMs: latencyMs - queuedMs - loopMs },
    evidence: [
      {
        kind: "not-sent",
        says: `the client held it back for ${roundMs(queuedMs)} of ${roundMs(latencyMs)} ms before its bytes were sent (offline queue, pool or pipeline)`,
        queuedMs: roundMs(queuedMs),
      },
    ],
  };
}

const notTheLoop = (latencyMs: number, loopMs: number): Evidence => ({
  kind: "loop-was-free",
  says: `the loop was stalled for ${roundMs(loopMs)} of its ${roundMs(latencyMs)} ms; whether the server or the network had the rest was not measured`,
  loopMs: roundMs(loopMs),
});
