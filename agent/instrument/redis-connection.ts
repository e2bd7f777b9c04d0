// A connection of a Redis client, from the socket that it uses. Application thread.

import { guard } from "../base/guard";
import type { Taps } from "./taps";
import { replaceFunction } from "./wrap";

/** The part of a socket that is used. */
export interface ConnectionSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localPort?: number | undefined;
  /** Of a TLS socket, and of no other; https://nodejs.org/api/tls.html#tlssocketencrypted */
  readonly encrypted?: boolean | undefined;
}

type Destroy = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Returns the id of the connection; `onEnd` is called once, when it ends, by whichever end.
 *
 * That is seen in `_destroy`, where every stream ends, once, and in which nothing of the application
 * runs. A listener of "close" of ours would change the lines of node:events in the stacks of the
 * errors that the client's own makes.
 */
export function openConnection(
  { registry, now }: Pick<Taps, "registry" | "now">,
  client: string,
  socket: ConnectionSocket | null,
  onEnd: () => void,
  /** Of a Unix socket, where the client tells. */
  path: unknown = null,
): number {
  const id = registry.connectionOpened({
    client,
    protocol: "redis",
    host: socket?.remoteAddress ?? null,
    port: socket?.remotePort ?? null,
    localPort: socket?.localPort ?? null,
    ...(socket?.encrypted === true ? { isTls: true } : {}),
    ...(typeof path === "string" && socket?.remoteAddress === undefined ? { path } : {}),
  });
  if (socket === null) return id;
  function ended(): void {
    registry.connectionClosed(id, now());
    onEnd();
  }
  replaceFunction<Destroy>(socket, "_destroy", (destroy) => {
    return function (...args) {
      guard("instrument", ended, undefined);
      return destroy.apply(this, args);
    };
  });
  return id;
}
