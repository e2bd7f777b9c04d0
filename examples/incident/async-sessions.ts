// The same sessions, the same commands and the same waiting, through ioredis: what the incident's API
// should have done. A connection that waits in BLPOP serves nobody else, so each look-up has its own.

import { Redis } from "ioredis";
import {
  lockKey,
  lockWaitSeconds,
  type SessionCheck,
  type SessionStore,
  sessionKey,
} from "./sessions";

/** The store on ioredis. Connections are reused, and there are as many as look-ups at one time. */
export function openAsyncSessions(host: string, port: number): SessionStore {
  const all: Redis[] = [];
  const idle: Redis[] = [];

  function open(): Redis {
    const redis = new Redis({ host, port });
    redis.on("error", (error) => console.error(`sessions: ${error.message}`));
    all.push(redis);
    return redis;
  }

  async function checkSession(id: string): Promise<SessionCheck> {
    const redis = idle.pop() ?? open();
    try {
      return await lookUp(redis, id);
    } finally {
      idle.push(redis);
    }
  }

  return {
    says: "asynchronous client: ioredis",
    check: checkSession,
    close: () => {
      for (const redis of all) redis.disconnect();
    },
  };
}

async function lookUp(redis: Redis, id: string): Promise<SessionCheck> {
  const item = await redis.blpop(lockKey(id), lockWaitSeconds);
  if (item === null) return { kind: "busy" };
  const user = await redis.get(sessionKey(id));
  const ttlSeconds = await redis.ttl(sessionKey(id));
  await redis.rpush(lockKey(id), item[1]);
  return user === null ? { kind: "absent" } : { kind: "found", user, ttlSeconds };
}
