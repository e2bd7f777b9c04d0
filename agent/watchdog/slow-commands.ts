// Finds commands that took long for what they are, waits until the stalls around them are known, and
// hands over those that no stall explains. In fixed memory. What is long: for a command of constant
// cost a constant, for others their own history, and beyond its time-out for one that waits on purpose.

import { judgeSlowCommand, type SlowVerdict } from "../diagnose/slow-command";
import type { CommandRecord } from "../model/command";
import { isConstantCost, isWaiting, serverTimerMs } from "../model/constant-cost";
import type { Interval } from "../model/evidence";
import { type Ms, ms } from "../model/units";
import type { CommandHistory, HistoryFinding } from "./command-history";
import { serverLabel } from "./directory";

/** Until then a stall that overlaps the command has been closed, and its replies read. */
const graceMs = 100;
/** A storm of slow commands is one incident: what it would name stands in the first few hundred. */
const candidatesMax = 512;
const stallsMax = 64;
/** After a stall the loop reads the replies that waited, one by one. */
const catchUpMs = 40;
/** Behind more than these, a command's time is theirs too: its history cannot judge it. */
const aheadMax = 64;

export interface SlowRecord {
  readonly record: CommandRecord;
  readonly settledMs: Ms;
  readonly verdict: SlowVerdict;
}

export interface SlowCommands {
  /** What took less is not looked at. */
  readonly thresholdMs: Ms;
  /** In order of settling, each replied record that waits on purpose or took the threshold or longer. */
  add(record: CommandRecord, settledMs: Ms): void;
  stallEnded(interval: Interval): void;
  /** Those whose moment of grace is over and that no stall explains. */
  take(nowMs: Ms): readonly SlowRecord[];
}

export interface SlowCommandsOptions {
  readonly thresholdMs: Ms;
  readonly history: CommandHistory;
  /** A command took the threshold or longer, and its history is too short to say whether that is unusual. */
  onUnjudged(): void;
}

type Outside = Extract<HistoryFinding, { readonly kind: "outside" }>;

/** Why a command is looked at more closely. */
interface Suspicion {
  /** Of its latency, what it was asked to wait. */
  readonly intendedMs: number;
  /** What its history says; null where a constant decided. */
  readonly outside: Outside | null;
}

interface Candidate extends Suspicion {
  readonly record: CommandRecord;
  readonly settledMs: Ms;
  readonly ahead: { readonly command: string; readonly settledMs: Ms } | null;
}

export function createSlowCommands(options: SlowCommandsOptions): SlowCommands {
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
    thresholdMs: options.thresholdMs,
    add(record, settledMs) {
      const ahead = blocking.get(record.connection?.id ?? -1) ?? null;
      if (isWaiting(record.command, record.askedMs)) note(record, settledMs);
      if (settledMs - record.calledMs < options.thresholdMs) return;
      if (candidates.length >= candidatesMax) return;
      const suspicion = suspect(options, record, settledMs);
      if (suspicion === null) return;
      candidates = [...candidates, { record, settledMs, ahead, ...suspicion }];
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

/** Of a command that took the threshold or longer; null: that is no wonder. */
function suspect(
  options: SlowCommandsOptions,
  record: CommandRecord,
  settledMs: Ms,
): Suspicion | null {
  const { command, askedMs, calledMs, sentMs } = record;
  if (isWaiting(command, askedMs)) return overdue(options, record, settledMs);
  if (isConstantCost(command)) return { intendedMs: 0, outside: null };
  const inFlightMs = ms(settledMs - (sentMs ?? calledMs));
  if (inFlightMs < options.thresholdMs || record.ahead > aheadMax) return null;
  const finding = options.history.judge(serverLabel(record.connection), command, inFlightMs);
  if (finding.kind === "too-few") options.onUnjudged();
  return finding.kind === "outside" ? { intendedMs: 0, outside: finding } : null;
}

/** A command that waits on purpose is late only beyond its time-out. */
function overdue(
  { thresholdMs }: SlowCommandsOptions,
  { askedMs, calledMs }: CommandRecord,
  settledMs: Ms,
): Suspicion | null {
  if (askedMs === null || settledMs - calledMs - askedMs < thresholdMs + serverTimerMs) return null;
  return { intendedMs: askedMs, outside: null };
}

function judged(candidate: Candidate, stalls: readonly Interval[]): SlowRecord[] {
  const { record, settledMs, ahead, intendedMs, outside } = candidate;
  const { command, calledMs, sentMs } = record;
  const overlaps = stalls.map(({ startMs, endMs }) =>
    Math.max(0, Math.min(settledMs, endMs + catchUpMs) - Math.max(calledMs, startMs)),
  );
  const stalledMs = ms(overlaps.reduce((sum, part) => sum + part, 0));
  // Without the stalls it may have been as usual after all.
  const inFlightMs = settledMs - (sentMs ?? calledMs);
  if (outside !== null && inFlightMs - stalledMs <= outside.limitMs) return [];
  // It must have been there before this one was called, or it did not stand ahead.
  const isAhead = ahead !== null && ahead.settledMs >= calledMs;
  const verdict = judgeSlowCommand({
    command,
    calledMs,
    sentMs,
    settledMs,
    stalledMs,
    intendedMs,
    usual: outside,
    ahead: isAhead ? ahead : null,
  });
  return verdict === null ? [] : [{ record, settledMs, verdict }];
}
