// Which command queue of node-redis writes to which socket. Application thread.
//
// Both are private to their owners, so they are recognised by the order in which the client asks for
// their methods: a queue for what to write, then its socket to hold back (cork) what is written, then
// comes the command. No function of ours is on the stack meanwhile: see watchReads.
// https://github.com/redis/node-redis/blob/redis%405.8.3/packages/client/lib/client/socket.ts (write)

import type { Socket } from "node:net";
import type { Command } from "./node-redis-records";
import { openConnection } from "./redis-connection";
import { noConnectionId } from "./registry";
import type { Taps } from "./taps";
import { type Restore, watchReads } from "./wrap";

export const library = "node-redis";
const queueKey = Symbol("loophound.queue");

/** What is known of one command queue: a client has one for its whole life, over reconnects. */
export interface Queue {
  socket: Socket | null;
  connectionId: number;
  /** The list of commands that were written and not yet answered, once it has been seen. */
  waiting: { readonly length: number } | null;
  /** The reply that is about to take its command out of the list is an error. */
  isErrorReply: boolean;
  /** Version 4: the list of those to be written, once it has been seen; their number until then. */
  unwritten: { readonly length: number } | null;
  unwrittenCount: number;
  /** Version 4: commands that are written, but held back by a corked socket. */
  heldBack: Command[];
}

export interface Queues {
  /** Of the object that stands for the queue in the library, or of one of its lists. */
  of(owner: object): Queue | undefined;
  ofNew(owner: object): Queue;
  /** From now on `owner` is one of the lists of `queue`. */
  link(owner: object, queue: Queue): void;
  /** A socket that is corked from now on is the one that the next command is written to. */
  expectSocket(): void;
  /** The command is written to what was corked since; if nothing was, to the same socket as before. */
  connect(queue: Queue): void;
}

interface QueuesOptions {
  /** Called with each socket that a queue begins to write to. */
  onSocket(queue: Queue, socket: Socket): void;
}

export function createQueues(taps: Taps, { onSocket }: QueuesOptions): Queues {
  let isSocketExpected = false;
  let corked: Socket | null = null;
  watchCork((socket) => {
    if (!isSocketExpected) return;
    isSocketExpected = false;
    corked = socket;
  }, taps.keep);

  function link(owner: object, queue: Queue): void {
    Object.defineProperty(owner, queueKey, { value: queue, configurable: true });
  }

  function connect(queue: Queue): void {
    isSocketExpected = false;
    if (corked === null) return;
    const socket = corked;
    corked = null;
    if (socket === queue.socket) return;
    queue.socket = socket;
    queue.connectionId = openConnection(taps, library, socket, () => {
      if (queue.socket !== socket) return;
      queue.socket = null;
      queue.connectionId = noConnectionId;
      queue.heldBack = [];
    });
    onSocket(queue, socket);
  }

  const of = (owner: object): Queue | undefined =>
    (owner as { readonly [queueKey]?: Queue })[queueKey];

  return {
    of,
    link,
    connect,
    ofNew(owner) {
      const queue: Queue = {
        socket: null,
        connectionId: noConnectionId,
        waiting: null,
        isErrorReply: false,
        unwritten: null,
        unwrittenCount: 0,
        heldBack: [],
      };
      link(owner, queue);
      taps.onClient();
      return queue;
    },
    expectSocket() {
      isSocketExpected = true;
      corked = null;
    },
  };
}

/** Also those of TLS: a TLSSocket inherits from net.Socket, which inherits `cork` from streams. */
function watchCork(onCork: (socket: Socket) => void, keep: (restore: Restore) => void): void {
  // Loaded by now, by the client.
  const net = require("node:net") as typeof import("node:net");
  const restore = watchReads<Socket>(net.Socket.prototype, "cork", onCork);
  if (restore !== null) keep(restore);
}
