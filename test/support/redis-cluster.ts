// A private cluster of three real redis-servers, without replicas. For tests.

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./free-port";
import { type RedisServer, startRedisServer } from "./redis-server";

const nodeCount = 3;
const slotCount = 16_384;
const readyPollMs = 50;

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The node that has the slot of the key, and the one that is next to it. */
  placeOf(key: string): Promise<Place>;
  /** Gives the slot of the key to the next node. */
  move(key: string): Promise<void>;
  /** Leaves the slot of the key half way to the next node: a key that is not there is asked for. */
  halfMove(key: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Place {
  readonly slot: number;
  readonly owner: RedisServer;
  readonly next: RedisServer;
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((n) => n.stop())));
  try {
    for (let i = 0; i < nodeCount; i++) nodes.push(await startNode());
    await join(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  const placeOf = (key: string): Promise<Place> => findPlace(nodes, key);
  return {
    nodes,
    stop,
    placeOf,
    async move(key) {
      const { slot, next } = await placeOf(key);
      const id = await idOf(next);
      // The new owner first: there is no moment in which nobody has it.
      for (const node of [next, ...nodes.filter((other) => other !== next)]) {
        await ask(node, "SETSLOT", `${slot}`, "NODE", id);
      }
    },
    async halfMove(key) {
      const { slot, owner, next } = await placeOf(key);
      await ask(next, "SETSLOT", `${slot}`, "IMPORTING", await idOf(owner));
      await ask(owner, "SETSLOT", `${slot}`, "MIGRATING", await idOf(next));
    },
  };
}

/** The cluster bus is on the port plus 10000 by default, which may not exist. */
async function startNode(): Promise<RedisServer> {
  const config = ["cluster-enabled yes", "cluster-node-timeout 2000"];
  return startRedisServer({ config: [...config, `cluster-port ${await freePort()}`] });
}

async function onNode<T>(node: RedisServer, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: node.host, port: node.port });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

const ask = (node: RedisServer, ...words: string[]): Promise<unknown> =>
  onNode(node, (redis) => redis.call("CLUSTER", ...words));

const idOf = async (node: RedisServer): Promise<string> => String(await ask(node, "MYID"));

async function join(nodes: readonly RedisServer[]): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) return;
  const share = Math.ceil(slotCount / nodes.length);
  for (const [i, node] of nodes.entries()) {
    const last = Math.min((i + 1) * share, slotCount) - 1;
    await ask(node, "ADDSLOTSRANGE", `${i * share}`, `${last}`);
  }
  for (const other of others) {
    const [, busPort] = await onNode(other, (redis) => redis.config("GET", "cluster-port"));
    await ask(first, "MEET", other.host, `${other.port}`, String(busPort));
  }
  for (const node of nodes) {
    while (!String(await ask(node, "INFO")).includes("cluster_state:ok")) await sleep(readyPollMs);
  }
}

/** As the first node sees it; the others hear of a change at the same time. */
async function findPlace(nodes: readonly RedisServer[], key: string): Promise<Place> {
  const [first] = nodes;
  if (first === undefined) throw new Error("no nodes");
  const slot = Number(await ask(first, "KEYSLOT", key));
  const ranges = (await ask(first, "SLOTS")) as [number, number, [string, number]][];
  const [, , [, port]] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [0, 0, ["", 0]];
  const index = nodes.findIndex((node) => node.port === port);
  const [owner, next] = [nodes[index], nodes[(index + 1) % nodes.length]];
  if (owner === undefined || next === undefined) throw new Error(`nobody has slot ${slot}`);
  return { slot, owner, next };
}
