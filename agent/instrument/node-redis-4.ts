// node-redis 4: a client keeps its commands in two lists of the package yallist, which others use too;
// what is not a command passes untouched. Application thread; most of it runs once per command.
// https://github.com/redis/node-redis/blob/redis%404.7.0/packages/client/lib/client/commands-queue.ts
// https://github.com/isaacs/yallist/blob/v4.0.0/yallist.js

import type { Socket } from "node:net";
import { countFault } from "../base/guard";
import { type Outcome, outcome } from "../base/ledger";
import { noteAfter, noteBefore } from "./list-notes";
import type { Queue, Queues } from "./node-redis-queues";
import { type Command, isRecorded, isUnwritten, type Records } from "./node-redis-records";
import { type Restore, replaceFunction, watchReads } from "./wrap";

export interface Hooks4 {
  /** Each null where that version has no such part. */
  hookQueue(prototype: object): readonly (Restore | null)[];
  hookSocket(prototype: object): readonly (Restore | null)[];
  hookDecoder(prototype: object): readonly (Restore | null)[];
  /** `yallist` as the client requires it. No record is opened while `isComplete` is false. */
  hookLists(yallist: object, isComplete: () => boolean): readonly (Restore | null)[];
  /** To be called with each socket that a queue begins to write to. */
  watchUncork(queue: Queue, socket: Socket): void;
}

interface HooksParts {
  readonly queues: Queues;
  readonly records: Records;
  readonly now: () => number;
}

interface List {
  readonly length: number;
}
interface Node {
  readonly value: unknown;
}
type NodeClass = new (item: unknown, ...links: readonly unknown[]) => object;
interface Decoder {
  readonly arraysInProcess?: { readonly length: number };
}

export function createHooks4(parts: HooksParts): Hooks4 {
  const { queues, records } = parts;
  const notes = createNotes(parts);
  return {
    hookQueue: (prototype) => [
      watchReads(prototype, "addCommand", notes.adds),
      watchReads(prototype, "getCommandToSend", notes.writes),
      watchReads(prototype, "onReplyChunk", notes.reads),
      watchReads(prototype, "flushWaitingForReply", notes.givesUp),
      watchReads(prototype, "flushAll", notes.givesUp),
    ],
    hookSocket: (prototype) => [watchReads(prototype, "cork", queues.expectSocket)],
    hookDecoder: (prototype) => [watchReads<Decoder>(prototype, "parseError", notes.parsesError)],
    hookLists(yallist, isComplete) {
      const { prototype } = yallist as { readonly prototype: object };
      return [
        hookNodes(yallist, (item) => {
          if (isComplete()) notes.added(item);
        }),
        noteBefore<List>(prototype, "push", (list, item) => {
          if (isComplete()) notes.pushed(list, item);
        }),
        noteAfter<List>(prototype, "shift", notes.shifted),
        noteBefore<List, Node>(prototype, "removeNode", (_list, { value }) => {
          if (isRecorded(value)) records.removed(value);
        }),
      ];
    },
    watchUncork: (queue, socket) => {
      watchReads(socket, "uncork", () => notes.uncorked(queue));
    },
  };
}

/** The queues to which a command is added, of which one is written, and that reads replies. */
interface Turns {
  adding: Queue | null;
  writing: Queue | null;
  reading: Queue | null;
}

/** What each place tells, and of whom. */
function createNotes(parts: HooksParts) {
  const { queues } = parts;
  const turns: Turns = { adding: null, writing: null, reading: null };
  const queueOf = (owner: object): Queue => queues.of(owner) ?? queues.ofNew(owner);
  return {
    ...createListNotes(parts, turns),
    adds(owner: object): void {
      turns.adding = queueOf(owner);
    },
    writes(owner: object): void {
      turns.writing = queueOf(owner);
    },
    reads(owner: object): void {
      turns.reading = queueOf(owner);
    },
    givesUp(owner: object): void {
      const queue = queueOf(owner);
      queue.isErrorReply = false;
      turns.reading = null;
      turns.writing = queue;
    },
    /** One inside an array is part of a reply that is none. */
    parsesError({ arraysInProcess }: Decoder): void {
      if (turns.reading !== null && arraysInProcess?.length === 0) {
        turns.reading.isErrorReply = true;
      }
    },
  };
}

function createListNotes({ queues, records, now }: HooksParts, turns: Turns) {
  function written(list: List, command: Command, queue: Queue): void {
    if (queue.waiting !== list) {
      queue.waiting = list;
      queues.link(list, queue);
    }
    queues.connect(queue);
    if (queue.socket === null) records.sent(command, queue.connectionId, now());
    else queue.heldBack.push(command);
  }

  /** Replies take commands out, and so does whoever gives them all up: nobody is reading then. */
  function howItEnds(list: List): Outcome {
    if (turns.reading === null) return outcome.flushed;
    return takeError(queues.of(list)) ? outcome.failed : outcome.replied;
  }

  return {
    added(item: unknown): void {
      const { adding } = turns;
      if (!isUnwritten(item)) return;
      records.called(item, adding === null ? 0 : aheadIn(adding));
      if (adding !== null) adding.unwrittenCount++;
    },
    /** Into the list of what is to be answered, as a new object; or a subscription, to be written. */
    pushed(list: List, item: unknown): void {
      const { writing } = turns;
      if (isUnwritten(item)) {
        records.called(item, list.length + (queues.of(list)?.waiting?.length ?? 0));
      } else if (writing !== null && isObject(item) && records.inherit(item)) {
        written(list, item, writing);
      }
    },
    shifted(list: List, item: unknown): void {
      const { writing } = turns;
      if (item === undefined) records.taken(null);
      else if (!isRecorded(item)) takeError(queues.of(list));
      else if (item.args === undefined) records.settled(item, howItEnds(list));
      else {
        if (writing !== null && writing.unwritten !== list) {
          writing.unwritten = list;
          queues.link(list, writing);
        }
        records.taken(item);
      }
    },
    /** What a turn of the loop writes leaves together, when the socket is no longer held back. */
    uncorked(queue: Queue): void {
      records.taken(null);
      const { heldBack, connectionId } = queue;
      if (heldBack.length === 0) return;
      queue.heldBack = [];
      const atMs = now();
      for (const command of heldBack) records.sent(command, connectionId, atMs);
    },
  };
}

function takeError(queue: Queue | undefined): boolean {
  if (queue === undefined) return false;
  const wasError = queue.isErrorReply;
  queue.isErrorReply = false;
  return wasError;
}

/** Commands that were called before and not yet answered. */
function aheadIn({ unwritten, unwrittenCount, waiting }: Queue): number {
  return (unwritten?.length ?? unwrittenCount) + (waiting?.length ?? 0);
}

/** node-redis makes the nodes of its commands itself; yallist never asks for this property. */
function hookNodes(yallist: object, added: (item: unknown) => void): Restore | null {
  return replaceFunction(yallist, "Node", (original: (...args: never[]) => unknown) => {
    const Node = original as unknown as NodeClass;
    function HookedNode(...args: ConstructorParameters<NodeClass>): object {
      try {
        added(args[0]);
      } catch (error) {
        countFault("instrument", error);
      }
      return new Node(...args);
    }
    HookedNode.prototype = original.prototype;
    return HookedNode as unknown as typeof original;
  });
}

const isObject = (item: unknown): item is Command => typeof item === "object" && item !== null;
