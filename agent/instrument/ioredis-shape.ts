// ioredis in a bundle, or handed over by its user: the same queues as in ioredis.ts, but found through a
// client's prototype. The class that takes replies cannot be reached from there, so a command that leaves
// its queue counts as replied unless the client gives its queue up; an error counts as a reply.
// Application thread.

import { hookClient, hookCluster } from "./ioredis-class";
import {
  type Client,
  type QueueWatch,
  watchCommandQueue,
  watchOfflineQueue,
} from "./ioredis-queues";
import { createRecords } from "./ioredis-records";
import { methodOwner, type Shape } from "./shapes";
import type { Taps } from "./taps";
import { isWrapped, replaceFunction } from "./wrap";

/** The fork cannot be told from it. */
const library = "ioredis";

export function ioredisShapes(taps: Taps): readonly Shape[] {
  const records = createRecords(taps);
  taps.keep(records.stop);
  let isFlushing = false;
  const watch: QueueWatch = {
    ...taps,
    records,
    isReplying: false,
    departed: (command) => (isFlushing ? records.left(command) : records.answered(command)),
  };

  /** Does nothing where its class is hooked already, by its file. */
  function hook(prototype: object): void {
    const owner = methodOwner(prototype, "resetCommandQueue");
    if (owner === null || isWrapped(Reflect.get(owner, "resetCommandQueue"))) return;
    const restore = replaceFunction<FlushQueue>(owner, "flushQueue", (flush) => {
      return function (this: object, ...args) {
        isFlushing = true;
        try {
          flush.apply(this, args);
        } finally {
          isFlushing = false;
        }
      };
    });
    if (restore === null) return;
    taps.keep(restore);
    hookClient(owner, { ...taps, library, isComplete: () => true, hooked: keepAll(taps) }, watch);
  }

  function adopt(client: object): void {
    taps.onClient();
    watchCommandQueue(watch, library, client as Client);
    watchOfflineQueue(watch, (client as Client).offlineQueue);
  }

  return [
    { methods: ["resetCommandQueue", "resetOfflineQueue", "flushQueue"], hook, adopt },
    {
      methods: ["refreshSlotsCache", "resetOfflineQueue", "setStatus"],
      hook(prototype) {
        const owner = methodOwner(prototype, "refreshSlotsCache");
        if (owner !== null) hookCluster(owner, { ...taps, isComplete: () => true }, watch);
      },
      adopt: (cluster) => watchOfflineQueue(watch, (cluster as Client).offlineQueue),
    },
  ];
}

type FlushQueue = (...args: unknown[]) => void;

const keepAll =
  (taps: Taps) =>
  (_part: "replies" | "client", restores: readonly ((() => void) | null)[]): void => {
    const made = restores.filter((restore) => restore !== null);
    made.forEach(taps.keep);
    if (made.length === restores.length) taps.onHooked(library);
  };
