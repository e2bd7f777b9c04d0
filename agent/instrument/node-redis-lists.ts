// node-redis 5 and 6: a client keeps its commands in two linked lists of its own making, those to be
// written and those to be answered. Application thread; each function here runs once per command.
// https://github.com/redis/node-redis/blob/redis%405.8.3/packages/client/lib/client/commands-queue.ts
// https://github.com/redis/node-redis/blob/redis%405.8.3/packages/client/lib/client/linked-list.ts

import { outcome } from "../base/ledger";
import { noteAfter, noteBefore } from "./list-notes";
import type { Queue, Queues } from "./node-redis-queues";
import { isPoolTask, isRecorded, isUnwritten, type Records } from "./node-redis-records";
import { type Restore, watchReads } from "./wrap";

export interface ListHooks {
  /** Each null where that version has no such part. */
  hookQueue(prototype: object): readonly (Restore | null)[];
  /** No record is opened while `isComplete` is false: nothing would close it. */
  hookWriteList(prototype: object, isComplete: () => boolean): readonly (Restore | null)[];
  hookReplyList(prototype: object): readonly (Restore | null)[];
}

interface HooksParts {
  readonly queues: Queues;
  readonly records: Records;
  readonly now: () => number;
}

interface List extends Iterable<unknown> {
  readonly length: number;
}
interface Node {
  readonly value: unknown;
}

/** The part of RedisCommandsQueue that is used. */
interface CommandsQueue {
  readonly decoder?: object;
}

export function createListHooks(parts: HooksParts): ListHooks {
  const { writes, added, taken, written, answered, emptied } = createNotes(parts);
  return {
    hookQueue: (prototype) => [watchReads<CommandsQueue>(prototype, "commandsToWrite", writes)],
    hookWriteList: (prototype, isComplete) => [
      noteBefore<List>(prototype, "push", (list, item) => {
        if (isComplete()) added(list, item, list.length);
      }),
      noteBefore<List>(prototype, "unshift", (list, item) => {
        if (isComplete()) added(list, item, 0);
      }),
      noteAfter(prototype, "shift", taken),
      noteBefore<List, Node>(prototype, "remove", (_list, { value }) => {
        if (isRecorded(value)) parts.records.removed(value);
      }),
      noteBefore(prototype, "reset", emptied),
    ],
    hookReplyList: (prototype) => [
      noteBefore(prototype, "push", written),
      noteAfter(prototype, "shift", answered),
      noteBefore(prototype, "reset", emptied),
    ],
  };
}

/** What each place tells, and of whom. */
function createNotes({ queues, records, now }: HooksParts) {
  /** The queue whose commands are written in this run, and when that began. */
  let writing: Queue | null = null;
  let writingSinceMs = 0;

  /** All that waits is written in one go: one reading of the clock is enough for it. */
  function writes(owner: CommandsQueue): void {
    writing = queues.of(owner) ?? meet(owner);
    writingSinceMs = now();
    queues.expectSocket();
  }

  function meet(owner: CommandsQueue): Queue {
    const queue = queues.ofNew(owner);
    // The decoder asks for this function before it hands over a reply that is an error.
    if (owner.decoder !== undefined) {
      watchReads(owner.decoder, "onErrorReply", () => {
        queue.isErrorReply = true;
      });
    }
    return queue;
  }

  function added(list: List, item: unknown, unwrittenBefore: number): void {
    if (isUnwritten(item)) {
      records.called(item, unwrittenBefore + (queues.of(list)?.waiting?.length ?? 0));
    } else if (isPoolTask(item)) records.poolWaitBegins(item);
  }

  /** From the list of commands to be written, or of a pool's tasks. */
  function taken(list: List, item: unknown): void {
    if (isRecorded(item)) {
      if (writing !== null && queues.of(list) === undefined) queues.link(list, writing);
      records.taken(item);
    } else if (item === undefined) records.taken(null);
    else if (isPoolTask(item)) records.poolWaitEnds(item);
  }

  function written(list: List, item: unknown): void {
    if (!isRecorded(item)) {
      if (isPoolTask(item)) records.poolWaitBegins(item);
      return;
    }
    if (writing === null) return;
    if (writing.waiting !== list) {
      writing.waiting = list;
      queues.link(list, writing);
    }
    queues.connect(writing);
    records.sent(item, writing.connectionId, writingSinceMs);
  }

  function answered(list: List, item: unknown): void {
    const queue = queues.of(list);
    if (queue === undefined) {
      if (isPoolTask(item)) records.poolWaitEnds(item);
      return;
    }
    const how = queue.isErrorReply ? outcome.failed : outcome.replied;
    queue.isErrorReply = false;
    if (isRecorded(item)) records.settled(item, how);
  }

  function emptied(list: List): void {
    const queue = queues.of(list);
    if (queue !== undefined) queue.isErrorReply = false;
    for (const item of list) if (isRecorded(item)) records.settled(item, outcome.flushed);
  }

  return { writes, added, taken, written, answered, emptied };
}
