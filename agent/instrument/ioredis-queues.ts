// The queues of one ioredis client: what enters is called or sent, what leaves is answered, sent
// again or given up. Application thread; `push` and `shift` run once per command.

import { countFault } from "../base/guard";
import type { Records, RedisCommand } from "./ioredis-records";
import type { Registry } from "./registry";
import { replaceFunction } from "./wrap";

interface QueueItem {
  readonly command: RedisCommand;
}

/** The part of denque that ioredis uses. */
export interface Queue {
  readonly length: number;
  push(item: QueueItem): number;
  shift(): QueueItem | undefined;
  remove(index: number, count: number): unknown;
  peekAt(index: number): QueueItem | undefined;
}

interface Stream {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localPort?: number;
  once(event: "close", listener: () => void): unknown;
}

/** The part of a Redis object that is read. */
export interface Client {
  readonly commandQueue: Queue;
  readonly offlineQueue: Queue;
  readonly prevCommandQueue?: Queue | null;
  readonly stream?: Stream | null;
  readonly options?: { readonly autoResendUnfulfilledCommands?: boolean };
}

/** What the queues of all clients share. */
export interface QueueWatch {
  readonly records: Records;
  readonly registry: Registry;
  readonly now: () => number;
  /** True while a reply takes its command out of the queue. */
  isReplying: boolean;
}

const room = "instrument";
/** No id has been asked for yet: the first command of a connection does. */
const notAskedFor = -1;

/** A client makes a new command queue for each TCP connection, after connecting. */
export function watchCommandQueue(watch: QueueWatch, library: string, client: Client): void {
  const queue = client.commandQueue;
  let connectionId = notAskedFor;
  replaceFunction<Queue["push"]>(queue, "push", (push) => {
    return function (this: Queue, item) {
      try {
        if (connectionId === notAskedFor) connectionId = openConnection(watch, library, client);
        watch.records.sent(item.command, this.length, connectionId);
      } catch (error) {
        countFault(room, error);
      }
      return push.call(this, item);
    };
  });
  watchDepartures(watch, queue);
}

/** Commands wait here until there is a connection. */
export function watchOfflineQueue(watch: QueueWatch, queue: Queue): void {
  replaceFunction<Queue["push"]>(queue, "push", (push) => {
    return function (this: Queue, item) {
      try {
        watch.records.queued(item.command, this.length);
      } catch (error) {
        countFault(room, error);
      }
      return push.call(this, item);
    };
  });
  watchDepartures(watch, queue);
}

function watchDepartures(watch: QueueWatch, queue: Queue): void {
  replaceFunction<Queue["shift"]>(queue, "shift", (shift) => {
    return function (this: Queue) {
      const item = shift.call(this);
      if (!watch.isReplying && item !== undefined) watch.records.left(item.command);
      return item;
    };
  });
  // ioredis takes single commands out of the middle when it will not send them again.
  replaceFunction<Queue["remove"]>(queue, "remove", (remove) => {
    return function (this: Queue, index, count) {
      for (let i = 0; i < count; i++) flushAt(watch, this, index + i);
      return remove.call(this, index, count);
    };
  });
}

function flushAt(watch: QueueWatch, queue: Queue, index: number): void {
  const item = queue.peekAt(index);
  if (item !== undefined) watch.records.flushed(item.command);
}

function openConnection(watch: QueueWatch, library: string, client: Client): number {
  const { stream, commandQueue } = client;
  const id = watch.registry.connectionOpened({
    client: library,
    protocol: "redis",
    host: stream?.remoteAddress ?? null,
    port: stream?.remotePort ?? null,
    localPort: stream?.localPort ?? null,
  });
  stream?.once("close", () => {
    watch.registry.connectionClosed(id, watch.now());
    if (isResent(client, commandQueue)) return;
    for (let i = 0; i < commandQueue.length; i++) flushAt(watch, commandQueue, i);
  });
  return id;
}

/** Commands in flight of a connection that was never ready are dropped by ioredis, silently. */
const isResent = (client: Client, queue: Queue): boolean =>
  client.prevCommandQueue === queue && client.options?.autoResendUnfulfilledCommands !== false;
