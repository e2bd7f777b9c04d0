// Sessions, looked up as the founding incident's API did it: through a synchronous native client, on the
// event loop's own thread. A session is locked while somebody works on it: its lock is a list with one
// token, and whoever takes the token has the session until he puts it back.

import { env } from "node:process";
import { loadSyncRedis, type SyncClientKind } from "./syncredis";

export type SessionCheck =
  | { readonly kind: "found"; readonly user: string; readonly ttlSeconds: number }
  | { readonly kind: "absent" }
  | { readonly kind: "busy" };

export interface SessionStore {
  readonly says: string;
  check(id: string): SessionCheck | Promise<SessionCheck>;
  close(): void;
}

export const sessionKey = (id: string) => `session:${id}`;
export const lockKey = (id: string) => `session-lock:${id}`;

/** A request gives up when its session stays locked for as long. */
export const lockWaitSeconds = 2;

const connectMs = 2_000;
/** Longer than the wait for a lock, which Redis ends itself. */
const commandMs = 5_000;

/** The store on the synchronous client; SYNC_CLIENT=addon|koffi insists on one of the two. */
export function openSyncSessions(host: string, port: number): SessionStore {
  const { redis, says } = loadSyncRedis(env["SYNC_CLIENT"] as SyncClientKind | undefined);
  const connection = redis.connect(host, port, connectMs, commandMs);

  function checkSession(id: string): SessionCheck {
    const token = redis.blpop(connection, lockKey(id), lockWaitSeconds); // the call that blocks the loop
    if (token === null) return { kind: "busy" };
    const user = redis.get(connection, sessionKey(id));
    const ttlSeconds = redis.ttl(connection, sessionKey(id));
    redis.rpush(connection, lockKey(id), token);
    return user === null ? { kind: "absent" } : { kind: "found", user, ttlSeconds };
  }

  return { says, check: checkSession, close: () => redis.close(connection) };
}
