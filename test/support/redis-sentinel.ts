// A private sentinel with a master and a replica, all real redis-servers. For tests.

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RedisServer, startRedisServer } from "./redis-server";

export const masterName = "loophound-test";
/** Short, so that a test need not wait: nothing is measured here. */
const downAfterMs = 300;
const pollMs = 50;

export interface SentinelGroup {
  readonly sentinel: RedisServer;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** Ends the master and resolves once the sentinel has made the replica one. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSentinelGroup(): Promise<SentinelGroup> {
  const master = await startRedisServer({ config: ["repl-diskless-sync-delay 0"] });
  const replica = await startRedisServer({ config: [`replicaof ${master.host} ${master.port}`] });
  await until(replica, async (redis) => (await redis.info()).includes("master_link_status:up"));
  const sentinel = await startRedisServer({
    isSentinel: true,
    config: [
      `sentinel monitor ${masterName} ${master.host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} 5000`,
    ],
  });
  // A sentinel asks its master for replicas when it begins, and then every ten seconds.
  await until(sentinel, async (redis) => {
    const replicas = (await redis.call("SENTINEL", "REPLICAS", masterName)) as unknown[];
    return replicas.length > 0;
  });
  return {
    sentinel,
    master,
    replica,
    async failOver() {
      await master.stop();
      await until(replica, async (redis) => (await redis.info()).includes("role:master"));
    },
    async stop() {
      await Promise.all([sentinel, replica, master].map((server) => server.stop()));
    },
  };
}

async function until(
  server: RedisServer,
  holds: (redis: Redis) => Promise<boolean>,
): Promise<void> {
  const redis = new Redis({ host: server.host, port: server.port, enableReadyCheck: false });
  try {
    while (!(await holds(redis))) await sleep(pollMs);
  } finally {
    redis.disconnect();
  }
}
