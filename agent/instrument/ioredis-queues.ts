// The queues of one ioredis client: what enters is called or sent, what leaves is answered, sent
// again or given up. Application thread; `push` and `shift` run once per command.

import { countFault } from "../base/guard";
import type { Records, RedisCommand } from "./ioredis-records";
import { type ConnectionSocket, openConnection } from "./redis-connection";
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

/** The part of a Redis object that is read. */
export interface Client {
  readonly commandQueue: Queue;
  readonly offlineQueue: Queue;
  readonly prevCommandQueue?: Queue | null;
  readonly stream?: ConnectionSocket | null;
  readonly options?: {
    readonly autoResendUnfulfilledCommands?: boolean;
    /** Of a Unix socket. */
    readonly path?: unknown;
  };
}

/** What the queues of all clients share. */
export interface QueueWatch {
  readonly records: Records;
  readonly registry: Registry;
  readonly now: () => number;
  /** True while a reply takes its command out of the queue. */
  isReplying: boolean;
  /** Told of each command that leaves the queue of those in flight otherwise. */
  departed(command: RedisCommand): void;
}

const room = "instrument";
/** No id has been asked for yet: the first command of a connection does. */
const notAskedFor = -1;
const newest = new WeakMap<Client, Watched>();

/** The newest command queue of a client, and when its connection ended. */
interface Watched {
  readonly queue: Queue;
  endedMs: number | null;
}

/** A client makes a new command queue for each TCP connection, after connecting. */
export function watchCommandQueue(watch: QueueWatch, library: string, client: Client): void {
  const queue = client.commandQueue;
  const before = newest.get(client);
  // Handed over by its user, and watched since it was made.
  if (before?.queue === queue) return;
  const watched: Watched = { queue, endedMs: null };
  if (before !== undefined) flushUnlessResent(watch, client, before);
  newest.set(client, watched);
  let connectionId = notAskedFor;
  replaceFunction<Queue["push"]>(queue, "push", (push) => {
    return function (this: Queue, item) {
      try {
        if (connectionId === notAskedFor) {
          const onEnd = (): void => {
            watched.endedMs = watch.now();
          };
          const { stream = null, options } = client;
          connectionId = openConnection(watch, library, stream, onEnd, options?.path);
        }
        watch.records.sent(item.command, this.length, connectionId);
      } catch (error) {
        countFault(room, error);
      }
      return push.call(this, item);
    };
  });
  watchDepartures(watch, queue, watch.departed);
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
  watchDepartures(watch, queue, watch.records.left);
}

function watchDepartures(
  watch: QueueWatch,
  queue: Queue,
  departed: (command: RedisCommand) => void,
): void {
  replaceFunction<Queue["shift"]>(queue, "shift", (shift) => {
    return function (this: Queue) {
      const item = shift.call(this);
      try {
        if (!watch.isReplying && item !== undefined) departed(item.command);
      } catch (error) {
        countFault(room, error);
      }
      return item;
    };
  });
  // ioredis takes single commands out of the middle when it will not send them again.
  replaceFunction<Queue["remove"]>(queue, "remove", (remove) => {
    return function (this: Queue, index, count) {
      try {
        for (let i = 0; i < count; i++) flushAt(watch, this, index + i, watch.now());
      } catch (error) {
        countFault(room, error);
      }
      return remove.call(this, index, count);
    };
  });
}

function flushAt(watch: QueueWatch, queue: Queue, index: number, atMs: number): void {
  const item = queue.peekAt(index);
  if (item !== undefined) watch.records.flushed(item.command, atMs);
}

/**
 * The client has a new queue and will not look at `queue` again, unless it keeps it to send its
 * commands once more; what a connection that was never ready leaves behind it drops, silently.
 */
function flushUnlessResent(watch: QueueWatch, client: Client, { queue, endedMs }: Watched): void {
  const isKept =
    client.prevCommandQueue === queue && client.options?.autoResendUnfulfilledCommands !== false;
  if (isKept) return;
  for (let i = 0; i < queue.length; i++) flushAt(watch, queue, i, endedMs ?? watch.now());
}
