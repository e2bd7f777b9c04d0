// ioredis 4.11 and later, and its fork iovalkey: seen through the queues that a client keeps its
// commands in. Application thread.
//
// A command is recorded when it enters a queue and when its reply takes it out, not by a wrapper
// around sendCommand: that one would stand in the stack of every error that is made inside, such as
// "Connection is closed.", and applications print those. The functions replaced here make no errors
// (but for one that ioredis asks to report) and call nothing of the application's. Promises are not
// touched, so a rejection that nobody handles stays one.
// https://github.com/redis/ioredis/blob/v5.9.3/lib/Redis.ts (sendCommand, flushQueue)
// https://github.com/redis/ioredis/blob/v5.9.3/lib/redis/event_handler.ts (connectHandler, closeHandler)

import { sep } from "node:path";
import { countFault } from "../base/guard";
import { createCopies, sayIfUnfit } from "./copies";
import { hookClient, hookCluster, type IoredisCopy } from "./ioredis-class";
import type { QueueWatch } from "./ioredis-queues";
import { createRecords, type Records, type RedisCommand } from "./ioredis-records";
import { ioredisShapes } from "./ioredis-shape";
import type { Adapter } from "./taps";
import { replaceFunction } from "./wrap";

export const ioredisAdapter: Adapter = {
  targets(taps) {
    const records = createRecords(taps);
    taps.keep(records.stop);
    const watch: QueueWatch = { ...taps, records, isReplying: false, departed: records.left };
    const copies = createCopies({
      taps,
      parts: ["replies", "client"] as const,
      folder: "built",
      libraryOf,
    });
    const target = (suffix: string, hook: Hook) => ({
      suffix,
      adapt(exports: unknown, filename: string) {
        const prototype = defaultPrototype(exports);
        if (prototype === null) return;
        const copy = copies.of(filename);
        hook(prototype, copy, watch);
        if (hook === hookClient && "sendCommand" in prototype) sayIfUnfit(taps, copy);
      },
    });
    return [
      target("/built/DataHandler.js", hookReplies),
      target("/built/Redis.js", hookClient),
      target("/built/redis/index.js", hookClient), // 4.x
      target("/built/cluster/index.js", hookCluster),
    ];
  },
  shapes: ioredisShapes,
};

type Hook = (prototype: object, copy: IoredisCopy, watch: QueueWatch) => void;

/** The files of ioredis export a class, as `default`; null where this one does not. */
function defaultPrototype(exports: unknown): object | null {
  const found = (exports as { readonly default?: { readonly prototype?: unknown } } | null)
    ?.default;
  const prototype = found?.prototype;
  return typeof prototype === "object" ? prototype : null;
}

interface QueueItem {
  readonly command: RedisCommand;
}

interface DataHandler {
  shiftCommand(reply: unknown): QueueItem | null;
}

/**
 * Replies take commands out of the queue in one place, and only there errors are told apart. The
 * clock is read for each reply: a listener of ours that reads it once per chunk saves some 30 ns,
 * but a second "data" listener changes the lines of node:events in the stacks of the application.
 */
function hookReplies(prototype: object, copy: IoredisCopy, watch: QueueWatch): void {
  const { records } = watch;
  copy.hooked("replies", [
    replaceFunction<DataHandler["shiftCommand"]>(prototype, "shiftCommand", (shiftCommand) => {
      return function (this: DataHandler, reply) {
        watch.isReplying = true;
        try {
          const item = shiftCommand.call(this, reply);
          if (item) takenBy(records, reply, item);
          return item;
        } finally {
          watch.isReplying = false;
        }
      };
    }),
  ]);
}

function takenBy(records: Records, reply: unknown, { command }: QueueItem): void {
  try {
    if (reply instanceof Error) records.failed(command);
    else records.replied(command);
  } catch (error) {
    countFault("instrument", error);
  }
}

/** The fork is told by its folder; ioredis itself may be installed under any name. */
const libraryOf = (root: string): string =>
  root.endsWith(`${sep}iovalkey`) ? "iovalkey" : "ioredis";
