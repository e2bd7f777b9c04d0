// Finds commands that took long for what they are, waits until the stalls around them and the control
// experiments are known, and hands over those that no stall explains. In fixed memory. What is long:
// for a command of constant cost a constant, for others their own history, and beyond its time-out for
// one that waits on purpose.

import type { Line } from "../diagnose/line";
import { judgeSlowCommand, stalledMs } from "../diagnose/slow-command";
import type { CommandRecord } from "../model/command";
import { isConstantCost, isWaiting, serverTimerMs } from "../model/constant-cost";
import type { Interval } from "../model/evidence";
import { type Ms, ms } from "../model/units";
import type { CommandHistory, HistoryFinding } from "./command-history";
import { serverKey } from "./directory";
import type { ServerFacts } from "./server-facts";
import {
  createSlowEpisodes,
  openAfterMs,
  type SlowEpisode,
  type SlowRecord,
} from "./slow-episodes";

/** Until then a stall that overlaps the command has been closed, and its replies read. */
const graceMs = 100;
/** An experiment that began while the command waited tells most when it has ended. */
const experimentGraceMs = 1000;
/** A storm of slow commands is one incident: what it would name stands in the first few hundred. */
const candidatesMax = 512;
const stallsMax = 64;
/** Behind more than these, a command's time is theirs too: its history cannot judge it. */
const aheadMax = 64;

/** A command that has not settled, with what stands before it. */
export interface OpenCommand {
  readonly record: CommandRecord;
  readonly line: Line | null;
}

export interface SlowCommands {
  /** What took less is not looked at. */
  readonly thresholdMs: Ms;
  /** In order of settling, each record that took the threshold or longer. */
  add(record: CommandRecord, settledMs: Ms, line: Line | null): void;
  stallEnded(interval: Interval): void;
  /** Stalls of the last while, oldest first. */
  stalls(): readonly Interval[];
  /** What is to be told; `open`: commands of constant cost that are out too long, oldest first. */
  take(nowMs: Ms, open: readonly OpenCommand[]): readonly SlowEpisode[];
}

export interface SlowCommandsOptions {
  readonly thresholdMs: Ms;
  readonly history: CommandHistory;
  readonly facts: ServerFacts;
  readonly nextNumber: () => number;
  /** Whether a stall has been charged with the command of that sequence: known when it is over. */
  readonly isClaimed: (sequence: number) => boolean;
  /** A command took the threshold or longer, and its history is too short to say whether that is unusual. */
  onUnjudged(): void;
}

type Outside = Extract<HistoryFinding, { readonly kind: "outside" }>;

/** Why a command is looked at more closely. */
interface Suspicion {
  /** What its history says; null where a constant decided. */
  readonly outside: Outside | null;
}

interface Candidate extends Suspicion, OpenCommand {
  /** When it settled, or now if it is open. */
  readonly settledMs: Ms;
}

export function createSlowCommands(options: SlowCommandsOptions): SlowCommands {
  const episodes = createSlowEpisodes(options.nextNumber);
  let candidates: readonly Candidate[] = [];
  let stalls: readonly Interval[] = [];

  function isDue({ record, settledMs }: Candidate, nowMs: Ms): boolean {
    const waitedMs = nowMs - settledMs;
    if (waitedMs < graceMs || waitedMs >= experimentGraceMs) return waitedMs >= graceMs;
    return !options.facts.isAsking(record, settledMs);
  }

  function announce(nowMs: Ms, open: readonly OpenCommand[]): readonly SlowEpisode[] {
    const longOut = open.filter(({ record }) => nowMs - record.calledMs >= openAfterMs);
    return longOut.flatMap(({ record, line }) => {
      const candidate = { record, line, settledMs: nowMs, outside: null };
      const slow = judged(options, candidate, stalls);
      const told = slow === null ? null : episodes.announce(slow);
      return told === null ? [] : [told];
    });
  }

  return {
    thresholdMs: options.thresholdMs,
    add(record, settledMs, line) {
      if (settledMs - record.calledMs < options.thresholdMs) return;
      if (candidates.length >= candidatesMax) return;
      const suspicion = suspect(options, record, settledMs);
      if (suspicion === null) return;
      candidates = [...candidates, { record, settledMs, line, ...suspicion }];
    },
    stallEnded(interval) {
      stalls = [...stalls.slice(1 - stallsMax), interval];
    },
    stalls: () => stalls,
    take(nowMs, open) {
      const due = candidates.filter((one) => isDue(one, nowMs));
      if (due.length > 0) candidates = candidates.filter((one) => !due.includes(one));
      for (const one of due.filter(({ record }) => !options.isClaimed(record.sequence))) {
        const slow = judged(options, one, stalls);
        if (slow !== null) episodes.add(slow);
      }
      const waited = new Set([...open, ...candidates].map(({ record }) => nameOf(record)));
      return [...announce(nowMs, open), ...episodes.take(nowMs, (server) => waited.has(server))];
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
  if (isConstantCost(command)) return { outside: null };
  const inFlightMs = ms(settledMs - (sentMs ?? calledMs));
  if (inFlightMs < options.thresholdMs || record.ahead > aheadMax) return null;
  const finding = options.history.judge(serverKey(record.connection), command, inFlightMs);
  if (finding.kind === "too-few") options.onUnjudged();
  return finding.kind === "outside" ? { outside: finding } : null;
}

/** A command that waits on purpose is late only beyond its time-out. */
function overdue(
  { thresholdMs }: SlowCommandsOptions,
  { askedMs, calledMs }: CommandRecord,
  settledMs: Ms,
): Suspicion | null {
  if (askedMs === null || settledMs - calledMs - askedMs < thresholdMs + serverTimerMs) return null;
  return { outside: null };
}

/** "" where the command never had a connection: its own client kept it. */
const nameOf = ({ connection }: CommandRecord): string =>
  connection === null ? "" : serverKey(connection);

/** null: no stall of its own, or nothing unusual after all. */
function judged(
  options: SlowCommandsOptions,
  candidate: Candidate,
  stalls: readonly Interval[],
): SlowRecord | null {
  const { record, settledMs, outside } = candidate;
  const { command, calledMs, sentMs, askedMs } = record;
  const server = nameOf(record);
  const verdict = judgeSlowCommand({
    command,
    calledMs,
    sentMs,
    settledMs,
    askedMs,
    usualRoundTripMs: options.facts.usualMs(record),
    stalls: stalls.filter(({ startMs, endMs }) => startMs < settledMs && endMs > calledMs),
    line: candidate.line,
    usual: outside,
    finding: options.facts.findingOf(record, settledMs, stalls),
  });
  if (verdict === null) return null;
  // Without the stalls it may have been as usual after all.
  const inFlightMs = settledMs - (sentMs ?? calledMs) - stalledMs({ stalls, calledMs, settledMs });
  if (outside !== null && inFlightMs <= outside.limitMs) return null;
  return { record, server, settledMs, verdict };
}
