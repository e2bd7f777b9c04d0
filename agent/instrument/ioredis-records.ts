// Follows the commands of one process through the queues of ioredis and writes their records.
// Application thread, once per command and once per reply: no allocation, no closure, no promise.
//
// The sequence of a command's open record lies on the command object, under a symbol: a command
// passes several queues (offline, sent, sent again after a reconnect or a redirect) and the object
// is all that stays the same. A private field would not show in console.log(command) either, but
// costs some 100 ns a command more on Node 24 and 26.

import { guard } from "../base/guard";
import { type LedgerWriter, type Outcome, outcome } from "../base/ledger";
import { askedWaitMs } from "./asked-wait";
import { noConnectionId, type Registry } from "./registry";

const sequenceKey = Symbol("loophound.sequence");
const noSequence = 0;

/** The part of ioredis' Command that is read, and our mark on it. */
export interface RedisCommand {
  readonly name: string;
  readonly args?: ArrayLike<unknown>;
  [sequenceKey]?: number;
}

export interface RecordsParts {
  readonly ledger: LedgerWriter;
  readonly registry: Registry;
  readonly now: () => number;
}

export interface Records {
  /** The command was put in a queue that waits for a connection; `ahead` were there before it. */
  queued(command: RedisCommand, ahead: number): void;
  /** The command was written; `ahead` are unanswered before it on that connection. */
  sent(command: RedisCommand, ahead: number, connectionId: number): void;
  /** Its reply was parsed. */
  replied(command: RedisCommand): void;
  /** As `replied`, by an error: settled at the end of this run, unless it is queued again until then. */
  failed(command: RedisCommand): void;
  /** As `replied`, where that is not certain: it may be queued again until the end of this run. */
  answered(command: RedisCommand): void;
  /** It left its queue without a reply: settled as `failed` is. */
  left(command: RedisCommand): void;
  /** It will never get a reply, which was certain at that time. */
  flushed(command: RedisCommand, atMs: number): void;
  /** From now on nothing is written. */
  stop(): void;
}

/** Captured before the application can replace it (fake timers do). */
const soon = queueMicrotask;

export function createRecords({ ledger, registry, now }: RecordsParts): Records {
  let isStopped = false;
  // A command that has left its queue, but may be put in one again before this run of the loop's
  // thread ends: a redirect (MOVED, ASK), a resend after a reconnect, reconnectOnError.
  let leaving: RedisCommand | null = null;
  let leavingAs: Outcome = outcome.flushed;
  let leavingMs = 0;
  let isSettlingSoon = false;

  function settle(command: RedisCommand, atMs: number, how: Outcome): void {
    const sequence = command[sequenceKey];
    if (sequence === undefined || sequence === noSequence) return;
    command[sequenceKey] = noSequence;
    ledger.close(sequence, atMs, how);
  }

  function settleLast(): void {
    const command = leaving;
    leaving = null;
    if (command !== null) settle(command, leavingMs, leavingAs);
  }

  function settleLeaving(): void {
    isSettlingSoon = false;
    guard("instrument", settleLast, undefined);
  }

  function leave(command: RedisCommand, how: Outcome): void {
    guard("instrument", settleLast, undefined);
    leaving = command;
    leavingAs = how;
    leavingMs = now();
    if (isSettlingSoon) return;
    isSettlingSoon = true;
    soon(settleLeaving);
  }

  /** The command's open record, a new one if it has none. */
  function recordOf(command: RedisCommand, connectionId: number, ahead: number, atMs: number) {
    if (command === leaving) leaving = null;
    const known = command[sequenceKey];
    if (known !== undefined && known !== noSequence) return known;
    const id = registry.redisCommandId(command.name);
    const sequence = ledger.open(id, connectionId, ahead, atMs);
    command[sequenceKey] = sequence;
    const place = registry.timeoutPlace(id);
    if (place !== null && command.args !== undefined) {
      const askedMs = askedWaitMs(place, command.args, 0);
      if (askedMs !== null) ledger.asked(sequence, askedMs);
    }
    return sequence;
  }

  return {
    queued(command, ahead) {
      if (!isStopped) recordOf(command, noConnectionId, ahead, now());
    },
    sent(command, ahead, connectionId) {
      if (isStopped) return;
      const atMs = now();
      ledger.sent(recordOf(command, connectionId, ahead, atMs), connectionId, atMs);
    },
    replied: (command) => settle(command, now(), outcome.replied),
    failed: (command) => leave(command, outcome.failed),
    answered: (command) => leave(command, outcome.replied),
    left: (command) => leave(command, outcome.flushed),
    flushed: (command, atMs) => settle(command, atMs, outcome.flushed),
    stop() {
      isStopped = true;
    },
  };
}
