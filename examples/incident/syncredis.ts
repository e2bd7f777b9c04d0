// The synchronous Redis client of the example: libhiredis as a native addon where it could be compiled,
// the same blocking calls through koffi where not. Both block the calling thread inside native code.

import { join } from "node:path";

/** What `connect` gives; only the client that made it can use it. */
export type SyncConnection = { readonly opaque: unique symbol };

/** Every function blocks until Redis has answered, and throws what Redis or the socket says. */
export interface SyncRedis {
  connect(host: string, port: number, connectMs: number, commandMs: number): SyncConnection;
  close(connection: SyncConnection): void;
  get(connection: SyncConnection, key: string): string | null;
  /** In seconds; -1 without expiry, -2 without key. */
  ttl(connection: SyncConnection, key: string): number;
  /** Takes the first item of a list, or waits up to `seconds` for one; null when none came. */
  blpop(connection: SyncConnection, key: string, seconds: number): string | null;
  /** Appends an item to a list; the list's new length. */
  rpush(connection: SyncConnection, key: string, item: string): number;
}

export type SyncClientKind = "addon" | "koffi";

export interface LoadedSyncRedis {
  readonly kind: SyncClientKind;
  readonly redis: SyncRedis;
  /** One line for the log: which client this is, and why. */
  readonly says: string;
}

/** This file runs as dist/examples/incident/syncredis.js; the addon lies beside its source. */
const addonPath = join(__dirname, "../../../examples/incident/build/syncredis.node");

/** The addon, else koffi; `only` asks for one of them and throws when that one cannot be loaded. */
export function loadSyncRedis(only?: SyncClientKind): LoadedSyncRedis {
  if (only === "koffi") return throughKoffi("as SYNC_CLIENT asks");
  try {
    const redis = require(addonPath) as SyncRedis;
    return { kind: "addon", redis, says: "synchronous client: syncredis.node (libhiredis)" };
  } catch (error) {
    if (only === "addon") throw error;
    return throughKoffi(`no syncredis.node: ${(error as Error).message.split("\n")[0]}`);
  }
}

function throughKoffi(why: string): LoadedSyncRedis {
  // Loaded here, not at the top: with the addon, koffi stays out of the process.
  const { koffiRedis } = require("./koffi-redis") as typeof import("./koffi-redis");
  return {
    kind: "koffi",
    redis: koffiRedis,
    says: `synchronous client: libc through koffi (${why})`,
  };
}
