// node-redis 4, 5 and 6 (`redis`, that is `@redis/client`): single clients, pools, clusters and
// sentinels are all made of clients with a command queue each, and that is where they are seen.
// Application thread. No promise is touched, and no function of ours is on the stack when one of the
// application's runs or one of its errors is made.

import { createRequire } from "node:module";
import { createCopies, sayIfUnfit } from "./copies";
import type { ModuleTarget } from "./module-hook";
import { createHooks4 } from "./node-redis-4";
import { createListHooks } from "./node-redis-lists";
import { createQueues, library } from "./node-redis-queues";
import { createRecords } from "./node-redis-records";
import type { Adapter, Taps } from "./taps";

export const nodeRedisAdapter: Adapter = {
  targets(taps) {
    const hooks = createLazily(() => createHooks(taps));
    const common = { taps, folder: "dist", libraryOf: () => library };
    const parts4 = ["queue", "socket", "decoder", "lists"] as const;
    const copies4 = createCopies({ ...common, parts: parts4 });
    const copies = createCopies({ ...common, parts: ["queue", "lists"] as const });
    const file = (suffix: string, adapt: ModuleTarget["adapt"]): ModuleTarget => ({
      suffix: `/dist/lib/client/${suffix}.js`,
      adapt,
    });
    return [
      file("commands-queue", (exports, filename) => {
        const prototype = prototypeOf(exports, "default");
        if (prototype === null || !("addCommand" in prototype)) return;
        const is4 = "getCommandToSend" in prototype;
        const copy = (is4 ? copies4 : copies).of(filename);
        sayIfUnfit(taps, copy);
        if (!is4) {
          copy.hooked("queue", hooks().latest.hookQueue(prototype));
          return;
        }
        copy.hooked("queue", hooks().four.hookQueue(prototype));
        const yallist = createRequire(filename)("yallist") as object;
        copies4.of(filename).hooked("lists", hooks().four.hookLists(yallist, copy.isComplete));
      }),
      file("linked-list", (exports, filename) => {
        const toWrite = prototypeOf(exports, "DoublyLinkedList");
        const toAnswer = prototypeOf(exports, "SinglyLinkedList");
        if (toWrite === null || toAnswer === null) return;
        const { latest } = hooks();
        const copy = copies.of(filename);
        copy.hooked("lists", [
          ...latest.hookWriteList(toWrite, copy.isComplete),
          ...latest.hookReplyList(toAnswer),
        ]);
      }),
      file("socket", (exports, filename) => {
        const prototype = prototypeOf(exports, "default");
        if (prototype === null || !("cork" in prototype)) return;
        copies4.of(filename).hooked("socket", hooks().four.hookSocket(prototype));
      }),
      file("RESP2/decoder", (exports, filename) => {
        const prototype = prototypeOf(exports, "default");
        if (prototype === null) return;
        copies4.of(filename).hooked("decoder", hooks().four.hookDecoder(prototype));
      }),
    ];
  },
};

/** Not before a file of the library has come in: it reaches into node:net. */
function createHooks(taps: Taps) {
  const records = createRecords(taps);
  taps.keep(records.stop);
  const { now } = taps;
  const queues = createQueues(taps, {
    onSocket: (queue, socket) => four.watchUncork(queue, socket),
  });
  const four = createHooks4({ queues, records, now });
  return { four, latest: createListHooks({ queues, records, now }) };
}

function createLazily<T>(create: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= create();
    return made;
  };
}

function prototypeOf(exports: unknown, name: string): object | null {
  const found = (
    exports as Readonly<Record<string, { readonly prototype?: unknown } | undefined>>
  )?.[name];
  const prototype = found?.prototype;
  return typeof prototype === "object" ? prototype : null;
}
