// Finds commands of constant cost that took long, waits until the stalls around them are known, and
// hands over those that no stall explains. In fixed memory.

import { judgeSlowCommand, type SlowVerdict } from "../diagnose/slow-command";
import type { CommandRecord } from "../model/command";
import { isBlocking, isConstantCost } from "../model/constant-cost";
import type { Interval } from "../model/evidence";
import { type Ms, ms } from "../model/units";

/** Until then a stall that overlaps the command has been closed, and its replies read. */
const graceMs = 100;
/** A storm of slow commands is one incident: what it would name stands in the first few hundred. */
const candidatesMax = 512;
const stallsMax = 64;
/** After a stall the loop reads the replies that waited, one by one. */
const catchUpMs = 40;

export interface SlowRecord {
  readonly record: CommandRecord;
  readonly settledMs: Ms;
  readonly verdict: SlowVerdict;
}

export interface SlowCommands {
  /** Each settled record, in order of settling. */
  add(record: CommandRecord, settledMs: Ms): void;
  stallEnded(interval: Interval): void;
  /** Those whose moment of grace is over and that no stall explains. */
  take(nowMs: Ms): readonly SlowRecord[];
}

interface Candidate {
  readonly record: CommandRecord;
  readonly settledMs: Ms;
  readonly ahead: { readonly command: string; readonly settledMs: Ms } | null;
}

export function createSlowCommands(thresholdMs: Ms): SlowCommands {
  let candidates: readonly Candidate[] = [];
  let stalls: readonly Interval[] = [];
  /** The blocking command answered last, by connection. */
  const blocking = new Map<number, { readonly command: string; readonly settledMs: Ms }>();

  function note(record: CommandRecord, settledMs: Ms): void {
    const id = record.connection?.id;
    if (id === undefined) return;
    if (blocking.size >= candidatesMax) blocking.clear();
    blocking.set(id, { command: record.command, settledMs });
  }

  return {
    add(record, settledMs) {
      if (isBlocking(record.command)) note(record, settledMs);
      const isSlow = settledMs - record.calledMs >= thresholdMs;
      if (!isSlow || !isConstantCost(record.command) || candidates.length >= candidatesMax) return;
      const ahead = blocking.get(record.connection?.id ?? -1) ?? null;
      candidates = [...candidates, { record, settledMs, ahead }];
    },
    stallEnded(interval) {
      stalls = [...stalls.slice(1 - stallsMax), interval];
    },
    take(nowMs) {
      if (candidates.length === 0) return [];
      const due = candidates.filter((one) => nowMs - one.settledMs >= graceMs);
      if (due.length > 0) candidates = candidates.filter((one) => !due.includes(one));
      return due.flatMap((one) => judged(one, stalls));
    },
  };
}

function judged(
  { record, settledMs, ahead }: Candidate,
  stalls: readonly Interval[],
): SlowRecord[] {
  const { command, calledMs, sentMs } = record;
  const overlaps = stalls.map(({ startMs, endMs }) =>
    Math.max(0, Math.min(settledMs, endMs + catchUpMs) - Math.max(calledMs, startMs)),
  );
  const stalledMs = ms(overlaps.reduce((sum, part) => sum + part, 0));
  // It must have been there before this one was called, or it did not stand ahead.
  const isAhead = ahead !== null && ahead.settledMs >= calledMs;
  const verdict = judgeSlowCommand({
    command,
    calledMs,
    sentMs,
    settledMs,
    stalledMs,
    ahead: isAhead ? ahead : null,
  });
  return verdict === null ? [] : [{ record, settledMs, verdict }];
}
