// What is replaced in the classes of ioredis, wherever they were found. Application thread, once for each
// connection or change of status.

import { guard } from "../base/guard";
import type { Copy } from "./copies";
import {
  type Client,
  type Queue,
  type QueueWatch,
  watchCommandQueue,
  watchOfflineQueue,
} from "./ioredis-queues";
import { type Restore, replaceFunction } from "./wrap";

export type IoredisCopy = Copy<"replies" | "client">;

export function hookClient(prototype: object, copy: IoredisCopy, watch: QueueWatch): void {
  copy.hooked("client", [
    after(prototype, "resetCommandQueue", (client: Client) => {
      if (!copy.isComplete()) return;
      copy.onClient();
      watchCommandQueue(watch, copy.library, client);
    }),
    after(prototype, "resetOfflineQueue", (client: Client) => {
      if (copy.isComplete()) watchOfflineQueue(watch, client.offlineQueue);
    }),
  ]);
}

/** A cluster has an offline queue of its own, and makes the first one without a reset. */
export function hookCluster(
  prototype: object,
  copy: Pick<IoredisCopy, "isComplete" | "keep">,
  watch: QueueWatch,
): void {
  for (const method of ["resetOfflineQueue", "setStatus"]) {
    const restore = after(prototype, method, (cluster: { readonly offlineQueue: Queue }) => {
      if (copy.isComplete()) watchOfflineQueue(watch, cluster.offlineQueue);
    });
    if (restore !== null) copy.keep(restore);
  }
}

/** Calls `then` with the object whenever its method has run. */
function after<T>(owner: object, method: string, then: (self: T) => void): Restore | null {
  return replaceFunction(owner, method, (original: (...args: unknown[]) => unknown) => {
    return function (this: T, ...args: unknown[]) {
      const result = original.apply(this, args);
      guard("instrument", () => then(this), undefined);
      return result;
    };
  });
}
