// The reason why a session look-up has to wait: another program that locks one session after another, as a
// nightly import or a billing run does. Redis itself stays idle and answers everybody else at once.

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { lockKey, lockWaitSeconds } from "../sessions";

/** How long a session stays locked, and how long none is; from these, the stalls of the API. */
const holdMs = { least: 150, most: 350 };
const pauseMs = { least: 30, most: 90 };

export interface LockHolder {
  /** Puts back the lock it holds, and ends. */
  stop(): Promise<void>;
}

/** Locks sessions 0 to `sessions - 1` in turn until it is stopped. */
export function startLockHolder(port: number, sessions: number): LockHolder {
  const redis = new Redis({ host: "127.0.0.1", port });
  let isStopped = false;
  const ended = (async () => {
    for (let round = 0; !isStopped; round += 1) {
      await sleep(between(pauseMs));
      const key = lockKey(String(round % sessions));
      const item = await redis.blpop(key, lockWaitSeconds);
      if (item === null) continue;
      await sleep(between(holdMs));
      await redis.rpush(key, item[1]);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await ended;
      redis.disconnect();
    },
  };
}

const between = ({ least, most }: { least: number; most: number }) =>
  least + Math.random() * (most - least);
