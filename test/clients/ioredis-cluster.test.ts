// Redirects, with a real cluster of two servers. One version of ioredis is enough: what decides is
// common to all.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { type Cluster, Redis } from "ioredis";
import { freePort } from "../support/free-port";
import { expectTimesInOrder } from "../support/hooked-client";
import { type HookedRedis, loadHooked } from "../support/hooked-ioredis";
import { type RedisServer, startRedisServer } from "../support/redis-server";

const nodes: RedisServer[] = [];
beforeAll(async () => {
  nodes.push(await startClusterNode(), await startClusterNode());
  await joinCluster(nodes);
}, 60_000);
afterAll(() => Promise.all(nodes.map((node) => node.stop())));

let client: HookedRedis;
let cluster: Cluster;
beforeEach(() => {
  client = loadHooked("ioredis");
  const startNodes = nodes.slice(0, 1).map(({ host, port }) => ({ host, port }));
  cluster = new client.Redis.Cluster(startNodes);
});
afterEach(() => {
  cluster.disconnect();
  client.uninstall();
});

test("keeps one record for a command that is redirected, with the server that answered", async () => {
  const [first, second] = nodes as [RedisServer, RedisServer];
  expect(await cluster.get("moved")).toBeNull();
  expect(await cluster.get("asked")).toBeNull();
  await redirect(first, second);
  expect(await cluster.get("moved")).toBeNull();
  expect(await cluster.get("asked")).toBeNull();
  const rows = await client.settled();
  expect(rows.map(({ command, state, port }) => [command, state, port])).toEqual([
    ["GET", "replied", first.port],
    ["GET", "replied", first.port],
    ["GET", "replied", second.port],
    ["GET", "replied", second.port],
    ["ASKING", "replied", second.port],
  ]);
  expectTimesInOrder(rows);
});

/** The cluster bus is on the port plus 10000 by default, which may not exist. */
async function startClusterNode(): Promise<RedisServer> {
  const config = ["cluster-enabled yes", "cluster-node-timeout 2000"];
  return startRedisServer({ config: [...config, `cluster-port ${await freePort()}`] });
}

const onNode = async <T>(node: RedisServer, work: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis({ host: node.host, port: node.port });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
};

/** The first node gets all slots, the second none yet. */
async function joinCluster([first, second]: readonly RedisServer[]): Promise<void> {
  if (first === undefined || second === undefined) throw new Error("two nodes are needed");
  const busPort = await onNode(second, async (redis) => {
    const [, port] = (await redis.config("GET", "cluster-port")) as string[];
    return Number(port);
  });
  await onNode(first, async (redis) => {
    await redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await redis.call("CLUSTER", "MEET", second.host, second.port, busPort);
  });
  for (const node of [first, second]) {
    await onNode(node, async (redis) => {
      while (!(await redis.cluster("INFO")).includes("cluster_state:ok")) await sleep(50);
    });
  }
}

/** Gives one slot to the second node, and leaves another half way. */
async function redirect(first: RedisServer, second: RedisServer): Promise<void> {
  const idOf = (node: RedisServer) => onNode(node, (redis) => redis.cluster("MYID"));
  const [firstId, secondId] = [await idOf(first), await idOf(second)];
  const slotOf = (key: string) => onNode(first, (redis) => redis.cluster("KEYSLOT", key));
  const [moved, asked] = [await slotOf("moved"), await slotOf("asked")];
  await onNode(second, async (redis) => {
    await redis.cluster("SETSLOT", moved, "NODE", secondId);
    await redis.cluster("SETSLOT", asked, "IMPORTING", firstId);
  });
  await onNode(first, async (redis) => {
    await redis.cluster("SETSLOT", moved, "NODE", secondId);
    await redis.cluster("SETSLOT", asked, "MIGRATING", secondId);
  });
}
