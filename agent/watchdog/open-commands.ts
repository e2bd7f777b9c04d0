// Looks through the commands that are not answered yet: which servers are to be asked why, and which
// commands are out too long. Watchdog thread; bounded, however many are open.

import type { LedgerEntry, LedgerReader } from "../base/ledger-reader";
import type { LineWait } from "../diagnose/line";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { CommandRecord } from "../model/command";
import { isConstantCost, isWaiting } from "../model/constant-cost";
import { serverOf, targetOf } from "../model/experiment";
import { type Ms, ms } from "../model/units";
import type { ControlProbes } from "./control-probes";
import type { Directory } from "./directory";
import { lineBefore, type ReplyLines, waitKind } from "./reply-lines";
import type { OpenCommand } from "./slow-commands";

/** Half of what makes an incident, so that the experiment covers as much of the wait. */
const suspicionShare = 0.5;
const suspicionMinMs = 10;
const suspicionMaxMs = 25;
/** A record that nobody closes must not keep us asking, nor an incident open. */
const givenUpMs = 60_000;
/** More suspects than this have the same story. */
const suspectsMax = 64;
/** Commands that wait on purpose are passed over, but not without end. */
const visitedMax = 4096;

export interface OpenCommands {
  /** Whether any command is open that could become one that is out too long. */
  readonly isWaiting: boolean;
  /** Commands of constant cost that are out for the threshold or longer, oldest first. */
  readonly tooLong: readonly OpenCommand[];
}

export const nothingOpen: OpenCommands = { isWaiting: false, tooLong: [] };

export interface LookOptions {
  readonly ledger: LedgerReader;
  readonly directory: Directory;
  readonly lines: ReplyLines;
  readonly probes: ControlProbes;
  readonly thresholdMs: Ms;
}

/** Asks the servers that somebody waits for too long, and during a stall all that anybody waits for. */
export function lookAtOpen(options: LookOptions, nowMs: Ms, isLoopFree: boolean): OpenCommands {
  const tooLong: OpenCommand[] = [];
  const heads = new Map<number, LedgerEntry>();
  let isAnyWaiting = false;
  let visited = 0;
  options.ledger.eachOpen((entry) => {
    if (!heads.has(entry.connectionId)) heads.set(entry.connectionId, entry);
    const record = options.directory.resolve(entry);
    if (isSuspect(options, record, nowMs, isLoopFree)) {
      isAnyWaiting = true;
      const ageMs = nowMs - record.calledMs;
      if (isLoopFree && ageMs >= options.thresholdMs && ageMs < givenUpMs) {
        tooLong.push({ record, line: lineOf(options, entry, heads, nowMs) });
      }
      ask(options, record, nowMs);
    }
    return ++visited >= visitedMax || tooLong.length >= suspectsMax;
  });
  return { isWaiting: isAnyWaiting, tooLong };
}

/** Of constant cost; during a stall, any that the server owes an answer. */
function isSuspect(
  { directory }: LookOptions,
  record: CommandRecord,
  nowMs: Ms,
  isLoopFree: boolean,
): boolean {
  const { command, askedMs } = record;
  if (!isAnsweredByServer(command) || directory.amqp.excuses(record, nowMs)) return false;
  return isLoopFree ? isConstantCost(command) : !isWaiting(command, askedMs);
}

const suspiciousFrom = (thresholdMs: Ms): Ms =>
  ms(Math.min(suspicionMaxMs, Math.max(suspicionMinMs, thresholdMs * suspicionShare)));

function ask({ probes, thresholdMs }: LookOptions, record: CommandRecord, nowMs: Ms): void {
  const { connection, calledMs } = record;
  const ageMs = nowMs - calledMs;
  if (connection === null || ageMs < suspiciousFrom(thresholdMs) || ageMs >= givenUpMs) return;
  const server = serverOf(connection);
  const target = targetOf(connection);
  if (server !== null && target !== null) probes.suspect(server, target, nowMs);
}

/** The oldest one on its connection stands before all others, and has waited since the last reply. */
function lineOf(
  { directory, lines }: LookOptions,
  entry: LedgerEntry,
  heads: ReadonlyMap<number, LedgerEntry>,
  nowMs: Ms,
) {
  const { protocol = null } = directory.connection(entry.connectionId) ?? {};
  if (protocol !== "redis") return null;
  const line = lineBefore(lines.on(entry.connectionId), entry);
  const head = heads.get(entry.connectionId) ?? entry;
  if (head.sequence === entry.sequence || entry.sentMs === null) return line;
  const { command, askedMs } = directory.resolve(head);
  const startMs = ms(Math.max(line.previousRepliedMs ?? 0, head.sentMs ?? entry.sentMs));
  const wait: LineWait = {
    command,
    kind: waitKind(command, askedMs),
    startMs,
    endMs: nowMs,
  };
  return { ...line, waits: [...line.waits, wait] };
}
