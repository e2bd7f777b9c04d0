// Every client against a real cluster of three servers: the right server for each command, and what a
// redirect looks like.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Cluster } from "ioredis";
import { expectTimesInOrder, type Row } from "../support/hooked-client";
import { type HookedRedis, ioredisLibraries, loadHooked } from "../support/hooked-ioredis";
import {
  type Client,
  endAtOnce,
  type HookedNodeRedis,
  loadHookedNodeRedis,
  nodeRedisLibraries,
} from "../support/hooked-node-redis";
import { type RedisCluster, startRedisCluster } from "../support/redis-cluster";

let servers: RedisCluster;
beforeAll(async () => {
  servers = await startRedisCluster();
}, 60_000);
afterAll(() => servers.stop());

const startNodes = () => servers.nodes.slice(0, 1).map(({ host, port }) => ({ host, port }));
const summary = (rows: readonly Row[]) =>
  rows.map(({ command, state, port }) => [command, state, port]);

/** One key on each server. */
async function spreadKeys(): Promise<readonly { readonly key: string; readonly port: number }[]> {
  const byPort = new Map<number, string>();
  for (let i = 0; byPort.size < servers.nodes.length; i++) {
    byPort.set((await servers.placeOf(`key${i}`)).owner.port, `key${i}`);
  }
  return [...byPort].map(([port, key]) => ({ key, port }));
}

describe.each(ioredisLibraries)("%s", (library) => {
  let hooked: HookedRedis;
  let cluster: Cluster;
  beforeEach(() => {
    hooked = loadHooked(library);
    cluster = new hooked.Redis.Cluster(startNodes());
  });
  afterEach(() => {
    cluster.disconnect();
    hooked.uninstall();
  });

  test("has each command with the server that it went to, also what waited for the cluster", async () => {
    const keys = await spreadKeys();
    await Promise.all(keys.map(({ key }) => cluster.set(key, "value")));
    await Promise.all(keys.map(({ key }) => cluster.pipeline().incr(`{${key}}n`).get(key).exec()));
    const rows = await hooked.settled();
    for (const { port } of keys) {
      expect(summary(rows.filter((row) => row.port === port))).toEqual([
        ["SET", "replied", port],
        ["INCR", "replied", port],
        ["GET", "replied", port],
      ]);
    }
    expect(rows).toHaveLength(3 * keys.length);
    expectTimesInOrder(rows);
  });

  test("keeps one record for a command that is redirected, with the server that answered", async () => {
    const [moved, asked] = [`moved-${library}`, `asked-${library}`];
    const { owner, next } = await servers.placeOf(moved);
    const { next: askedNext } = await servers.placeOf(asked);
    expect(await cluster.get(moved)).toBeNull();
    expect(await cluster.get(asked)).toBeNull();
    const before = (await hooked.settled()).length;
    expect(before).toBe(2);
    await servers.halfMove(asked);
    await servers.move(moved);
    expect(await cluster.get(moved)).toBeNull();
    expect(await cluster.get(asked)).toBeNull();
    const rows = await hooked.settled();
    expect(rows[0]?.port).toBe(owner.port);
    expect(summary(rows.slice(before))).toEqual([
      ["GET", "replied", next.port],
      ["GET", "replied", askedNext.port],
      ["ASKING", "replied", askedNext.port],
    ]);
    expectTimesInOrder(rows);
  });
});

describe.each(nodeRedisLibraries)("%s", (library) => {
  let hooked: HookedNodeRedis;
  let cluster: Client;
  beforeEach(async () => {
    hooked = loadHookedNodeRedis(library);
    cluster = hooked.redis.createCluster({
      rootNodes: startNodes().map((socket) => ({ socket })),
    });
    cluster.on("error", () => undefined);
    await cluster.connect();
  });
  afterEach(async () => {
    await endAtOnce(cluster);
    hooked.uninstall();
  });

  test("has each command with the server that it went to", async () => {
    const keys = await spreadKeys();
    await Promise.all(keys.map(({ key }) => cluster.set(key, "value")));
    for (const { key } of keys) await cluster.multi().incr(`{${key}}n`).exec();
    const rows = await hooked.settled();
    for (const { port } of keys) {
      expect(summary(rows.filter((row) => row.port === port))).toEqual([
        ["SET", "replied", port],
        ["MULTI", "replied", port],
        ["INCR", "replied", port],
        ["EXEC", "replied", port],
      ]);
    }
    expect(rows).toHaveLength(4 * keys.length);
    expectTimesInOrder(rows);
  });

  test("has a record for each try of a command that is redirected", async () => {
    const [moved, asked] = [`moved-${library}`, `asked-${library}`];
    const place = { moved: await servers.placeOf(moved), asked: await servers.placeOf(asked) };
    await servers.halfMove(asked);
    await servers.move(moved);
    expect(await cluster.get(moved)).toBeNull();
    expect(await cluster.get(asked)).toBeNull();
    const rows = await hooked.settled();
    expect(summary(rows)).toEqual([
      ["GET", "failed", place.moved.owner.port],
      ["GET", "replied", place.moved.next.port],
      ["GET", "failed", place.asked.owner.port],
      ["ASKING", "replied", place.asked.next.port],
      ["GET", "replied", place.asked.next.port],
    ]);
    expectTimesInOrder(rows);
  });
});
