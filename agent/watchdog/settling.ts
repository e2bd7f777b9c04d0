// The path that every settled command takes: at 100,000 a second it is most of what the watchdog does, so
// names are looked up once for each command and connection, and nothing is made that outlives it.

import type { LedgerEntry, LedgerReader } from "../base/ledger-reader";
import { isAnsweredByServer } from "../model/amqp-costs";
import type { ConnectionInfo } from "../model/command";
import { isBlocking, isConstantCost } from "../model/constant-cost";
import { type Ms, ms } from "../model/units";
import type { CommandHistory } from "./command-history";
import { type CommandLabels, type Directory, serverKey } from "./directory";
import { lineBefore, noteReply, type ReplyLine, type ReplyLines } from "./reply-lines";
import type { ServerFacts } from "./server-facts";
import type { SlowCommands } from "./slow-commands";

/** Records that wait for the message with their names. */
const unnamedMax = 4096;
/** Shared memory is faster than that message, and a busy watchdog may look several times before it reads it. */
const looksUnnamedMax = 100;
/** Of a command that never came to a connection: no message will name it. */
const noConnectionId = 0;

export interface SettlingOptions {
  readonly ledger: LedgerReader;
  readonly directory: Directory;
  readonly facts: ServerFacts;
  readonly history: CommandHistory;
  readonly slow: SlowCommands;
  readonly lines: ReplyLines;
  /** Called once for each settled record. */
  readonly onSettled: (entry: LedgerEntry) => void;
}

/** What happens to the settled commands of one name on one connection. */
interface Path {
  /** Else it says nothing about the server. */
  readonly isAnswered: boolean;
  readonly isAmqp: boolean;
  readonly isBlocking: boolean;
  readonly command: string;
  /** Replies come in the order of the commands; null where they need not. */
  readonly line: ReplyLine | null;
  /** Told of each command that nothing of ours held up. */
  readonly learnServer: ReturnType<ServerFacts["of"]>;
  /** For commands whose cost depends on the data. */
  readonly learnCommand: ((inFlightMs: Ms) => void) | null;
}

interface Unnamed {
  readonly entry: LedgerEntry;
  readonly looks: number;
}

/** Returns a function that reads what is new in the ledger and tells how many records are open. */
export function createSettling(options: SettlingOptions): (isLoopFree: boolean) => number {
  const { ledger, directory, slow, onSettled } = options;
  const pathOf = directory.remember((labels, connection) =>
    createPath(options, labels, connection),
  );
  let unnamed: readonly Unnamed[] = [];

  /** About 50 ns. */
  function settle(entry: LedgerEntry, path: Path | null, isLoopFree: boolean): void {
    onSettled(entry);
    const { repliedMs } = entry;
    if (path === null || repliedMs === null || !path.isAnswered) return;
    // What is given up after so long was slow as well.
    if (repliedMs - entry.calledMs >= slow.thresholdMs) addSlow(entry, path, repliedMs);
    if (entry.state === "flushed") return;
    if (path.line !== null) noteReply(path.line, entry, path.command, repliedMs);
    if (isLoopFree && entry.state === "replied") learn(entry, path, repliedMs);
  }

  function learn(entry: LedgerEntry, path: Path, repliedMs: Ms): void {
    const { sentMs, connectionId } = entry;
    const waits = path.isBlocking && entry.askedMs !== 0;
    if (sentMs === null || waits) return;
    const stall = slow.stalls().at(-1);
    // What waited for a blocked loop says nothing of the server.
    if (stall !== undefined && sentMs < stall.endMs && repliedMs > stall.startMs) return;
    if (path.isAmqp && directory.amqp.isNoMeasure(directory.resolve(entry), repliedMs)) return;
    path.learnServer(connectionId, sentMs, repliedMs);
    path.learnCommand?.(ms(repliedMs - sentMs));
  }

  function addSlow(entry: LedgerEntry, path: Path, repliedMs: Ms): void {
    const record = directory.resolve(entry);
    if (directory.amqp.excuses(record, repliedMs)) return;
    slow.add(record, repliedMs, path.line === null ? null : lineBefore(path.line, entry));
  }

  return (isLoopFree) => {
    const waiting: Unnamed[] = [];
    const take = (entry: LedgerEntry, looks: number): void => {
      const path = pathOf(entry);
      const canWait = looks < looksUnnamedMax && waiting.length < unnamedMax;
      if (path === null && canWait && entry.connectionId !== noConnectionId) {
        waiting.push({ entry, looks: looks + 1 });
      } else settle(entry, path, isLoopFree);
    };
    for (const { entry, looks } of unnamed) take(entry, looks);
    const openCount = ledger.poll((entry) => take(entry, 0));
    unnamed = waiting;
    return openCount;
  };
}

function createPath(
  { facts, history, lines }: SettlingOptions,
  { command }: CommandLabels,
  connection: ConnectionInfo,
): Path {
  const { id, protocol } = connection;
  const server = serverKey(connection);
  return {
    isAnswered: isAnsweredByServer(command),
    isAmqp: protocol === "amqp",
    isBlocking: isBlocking(command),
    command,
    line: protocol === "redis" ? lines.on(id) : null,
    learnServer: facts.of(server),
    learnCommand: isConstantCost(command) ? null : history.of(server, command),
  };
}
