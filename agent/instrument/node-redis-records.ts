// Follows the commands of one process through the lists of node-redis and writes their records.
// Application thread, once per command and once per reply: no closure, no promise.
//
// The sequence of a command's open record lies on the object that the client queues for it, under a
// symbol. Nothing but the name, its first argument, is read, and of blocking commands the time-out.

import { countFault } from "../base/guard";
import { type Outcome, outcome } from "../base/ledger";
import { askedWaitMs } from "./asked-wait";
import { commandNameCharsMax, noConnectionId } from "./registry";
import type { Taps } from "./taps";

const sequenceKey = Symbol("loophound.sequence");
const waitingSinceKey = Symbol("loophound.waitingSince");
const noSequence = 0;

/** What node-redis queues for a command. Version 4 keeps `args` only until it is written. */
export interface Command {
  readonly args?: readonly unknown[] | undefined;
  readonly resolve: unknown;
  [sequenceKey]?: number;
}

/** What a pool queues for an `execute` that finds no idle client. */
interface PoolTask {
  readonly fn: unknown;
  [waitingSinceKey]?: number;
}

export interface Records {
  /** It was put in the list of those to be written; `ahead` are unwritten or unanswered before it. */
  called(command: Command, ahead: number): void;
  /** It left that list, to be written at once or never. Null: nothing was left in it. */
  taken(command: Command | null): void;
  /** It was written. `taken` need not have been called. */
  sent(command: Command, connectionId: number, atMs: number): void;
  /** Whether `command` is what became of the one last taken; the record is its own from now on. */
  inherit(command: Command): boolean;
  settled(command: Command, how: Outcome): void;
  /** It was taken out from the middle of a list: flushed, unless another list has it before long. */
  removed(command: Command): void;
  poolWaitBegins(task: PoolTask): void;
  /** The command that is called next in this run waited for a client of its pool since then. */
  poolWaitEnds(task: PoolTask): void;
  /** From now on no record is opened. */
  stop(): void;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Whether an item of a list is a command that has not been written; lists hold other things too. */
export const isUnwritten = (item: unknown): item is Command =>
  isObject(item) &&
  Array.isArray((item as Command).args) &&
  typeof (item as Command).resolve === "function";

/** Whether the item is a command whose record is open. */
export const isRecorded = (item: unknown): item is Command =>
  isObject(item) && ((item as Command)[sequenceKey] ?? noSequence) !== noSequence;

export const isPoolTask = (item: unknown): item is PoolTask =>
  isObject(item) && typeof (item as PoolTask).fn === "function";

/** Captured before the application can replace it (fake timers do). */
const soon = queueMicrotask;

export function createRecords({ ledger, registry, now }: Taps): Records {
  let isStopped = false;
  let taken: Command | null = null;
  const removed = new Set<Command>();
  const noWait = 0;
  let waitingSinceMs = noWait;

  function settled(command: Command, how: Outcome): void {
    const sequence = command[sequenceKey] ?? noSequence;
    if (sequence === noSequence) return;
    command[sequenceKey] = noSequence;
    ledger.close(sequence, now(), how);
  }

  function settleRemoved(): void {
    try {
      for (const command of removed) settled(command, outcome.flushed);
    } catch (error) {
      countFault("instrument", error);
    }
    removed.clear();
  }

  function forgetWait(): void {
    waitingSinceMs = noWait;
  }

  return {
    called(command, ahead) {
      if (isStopped || (removed.size > 0 && removed.delete(command))) return;
      const calledMs = waitingSinceMs === noWait ? now() : waitingSinceMs;
      waitingSinceMs = noWait;
      const { args = [] } = command;
      const id = registry.redisCommandId(nameOf(args[0]));
      const sequence = ledger.open(id, noConnectionId, ahead, calledMs);
      command[sequenceKey] = sequence;
      const place = registry.timeoutPlace(id);
      const askedMs = place === null ? null : askedWaitMs(place, args, 1);
      if (askedMs !== null) ledger.asked(sequence, askedMs);
    },
    taken(command) {
      if (taken !== null) settled(taken, outcome.flushed);
      taken = command;
    },
    sent(command, connectionId, atMs) {
      if (command === taken) taken = null;
      ledger.sent(command[sequenceKey] ?? noSequence, connectionId, atMs);
    },
    inherit(command) {
      if (taken === null || command.resolve !== taken.resolve) return false;
      command[sequenceKey] = taken[sequenceKey] ?? noSequence;
      taken[sequenceKey] = noSequence;
      taken = null;
      return true;
    },
    settled,
    removed(command) {
      if (removed.size === 0) soon(settleRemoved);
      removed.add(command);
    },
    poolWaitBegins(task) {
      task[waitingSinceKey] = now();
    },
    poolWaitEnds(task) {
      waitingSinceMs = task[waitingSinceKey] ?? noWait;
      soon(forgetWait);
    },
    stop() {
      isStopped = true;
    },
  };
}

/** Subscriptions have theirs as bytes. */
function nameOf(argument: unknown): string {
  if (typeof argument === "string") return argument;
  const isName = Buffer.isBuffer(argument) && argument.length <= commandNameCharsMax;
  return isName ? argument.toString("latin1") : "";
}
