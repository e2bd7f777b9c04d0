// Who stood before whom on one connection: replies come in the order of the commands, so a command
// waits until the one before it is answered. Watchdog thread; fixed memory; told of each reply.

import type { LedgerEntry } from "../base/ledger-reader";
import type { Line, LineWait } from "../diagnose/line";
import { isConstantCost, isWaiting } from "../model/constant-cost";
import { type Ms, ms } from "../model/units";

/** Shorter waits are the connection's ordinary flow. */
const waitFromMs = 5;
const waitsPerConnection = 8;
const connectionsMax = 4096;

/** The replies of one connection. */
export interface ReplyLine {
  lastRepliedMs: Ms;
  /** The newest long waits for one reply, oldest first. */
  waits: readonly LineWait[];
}

export interface ReplyLines {
  /** The same one for the same connection, as long as it is remembered. */
  on(connectionId: number): ReplyLine;
}

export function createReplyLines(): ReplyLines {
  const lines = new Map<number, ReplyLine>();
  return {
    on(connectionId) {
      const known = lines.get(connectionId);
      if (known !== undefined) return known;
      const made = { lastRepliedMs: ms(0), waits: [] };
      if (lines.size >= connectionsMax) lines.clear();
      lines.set(connectionId, made);
      return made;
    },
  };
}

/** What stands before a command that is not answered yet, or stood before one that just was. */
export function lineBefore(line: ReplyLine, { sentMs, ahead }: LedgerEntry): Line {
  if (sentMs === null || line.lastRepliedMs <= sentMs) {
    return { ahead, previousRepliedMs: null, waits: [] };
  }
  const waits = line.waits.filter(({ endMs }) => endMs > sentMs);
  return { ahead, previousRepliedMs: line.lastRepliedMs, waits };
}

/** To be called for each reply, in order. A few nanoseconds; allocates for long waits only. */
export function noteReply(
  line: ReplyLine,
  { sentMs, askedMs }: LedgerEntry,
  command: string,
  repliedMs: Ms,
): void {
  const startMs = Math.max(line.lastRepliedMs, sentMs ?? repliedMs);
  line.lastRepliedMs = repliedMs;
  if (repliedMs - startMs < waitFromMs) return;
  const kind = waitKind(command, askedMs);
  const wait = { command, kind, startMs: ms(startMs), endMs: repliedMs };
  line.waits = [...line.waits.slice(1 - waitsPerConnection), wait];
}

export function waitKind(command: string, askedMs: Ms | null): LineWait["kind"] {
  if (isWaiting(command, askedMs)) return "on-purpose";
  return isConstantCost(command) ? "cheap" : "costly";
}
