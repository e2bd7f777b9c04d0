// The path that every settled command takes: at 100,000 a second it is most of what the watchdog does, so
// names are looked up once for each command and connection, and nothing is made that outlives it.

import type { LedgerEntry, LedgerReader } from "../base/ledger-reader";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { ConnectionInfo } from "../model/command";
import { isBlocking, isConstantCost } from "../model/constant-cost";
import { type Ms, ms } from "../model/units";
import type { CommandHistory } from "./command-history";
import type { CommandLabels, Directory } from "./directory";
import type { RoundTrips } from "./round-trips";
import type { SlowCommands } from "./slow-commands";

/** Records that wait for the message with their names. */
const unnamedMax = 4096;

export interface SettlingOptions {
  readonly ledger: LedgerReader;
  readonly directory: Directory;
  readonly roundTrips: RoundTrips;
  readonly history: CommandHistory;
  readonly slow: SlowCommands;
  /** Called once for each settled record. */
  readonly onSettled: (entry: LedgerEntry) => void;
}

/** What happens to the settled commands of one name on one connection. */
interface Path {
  /** Else it says nothing about the server. */
  readonly isAnswered: boolean;
  readonly isAmqp: boolean;
  readonly isBlocking: boolean;
  /** Told what is usual by each command that nothing of ours held up. */
  readonly learnServer: ((inFlightMs: Ms) => void) | null;
  /** For commands whose cost depends on the data. */
  readonly learnCommand: ((inFlightMs: Ms) => void) | null;
}

/** Returns a function that reads what is new in the ledger and tells how many records are open. */
export function createSettling(options: SettlingOptions): (isLoopFree: boolean) => number {
  const { ledger, directory, slow, onSettled } = options;
  const pathOf = directory.remember((labels, connection) =>
    createPath(options, labels, connection),
  );
  const unnamed: LedgerEntry[] = [];

  /** About 50 ns. */
  function settle(entry: LedgerEntry, path: Path | null, isLoopFree: boolean): void {
    onSettled(entry);
    const { repliedMs } = entry;
    if (path === null || repliedMs === null || entry.state !== "replied") return;
    if (!path.isAnswered) return;
    const waits = path.isBlocking && entry.askedMs !== 0;
    if (waits || repliedMs - entry.calledMs >= slow.thresholdMs) addSlow(entry, repliedMs);
    if (isLoopFree && !waits) learn(entry, path, repliedMs);
  }

  function learn(entry: LedgerEntry, path: Path, repliedMs: Ms): void {
    if (entry.sentMs === null) return;
    if (path.isAmqp && directory.amqp.isNoMeasure(directory.resolve(entry), repliedMs)) return;
    const inFlightMs = ms(repliedMs - entry.sentMs);
    path.learnServer?.(inFlightMs);
    path.learnCommand?.(inFlightMs);
  }

  function addSlow(entry: LedgerEntry, repliedMs: Ms): void {
    const record = directory.resolve(entry);
    if (!directory.amqp.excuses(record, repliedMs)) slow.add(record, repliedMs);
  }

  return (isLoopFree) => {
    for (const entry of unnamed.splice(0)) settle(entry, pathOf(entry), isLoopFree);
    return ledger.poll((entry) => {
      const path = pathOf(entry);
      // Shared memory is faster than the message with the names: it is waited for, once.
      if (path === null && unnamed.length < unnamedMax) unnamed.push(entry);
      else settle(entry, path, isLoopFree);
    });
  };
}

function createPath(
  { roundTrips, history }: SettlingOptions,
  { server, command }: CommandLabels,
  { protocol }: ConnectionInfo,
): Path {
  return {
    isAnswered: isAnsweredByServer(command),
    isAmqp: protocol === "amqp",
    isBlocking: isBlocking(command),
    learnServer: roundTrips.of(server),
    learnCommand: isConstantCost(command) ? null : history.of(server, command),
  };
}
