// What the processes under test do, by name: an operation is a command or a publish. Each runs until told
// to stop and says how many operations it had. Loaded from where the benchmark's own packages are.

import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

export interface Workload {
  /** Works until `performance.now()` reaches `untilMs`, settles what is open, and returns the operations. */
  burst(untilMs: number): Promise<number>;
  close(): Promise<void>;
}

export interface WorkloadOptions {
  readonly port: number;
  /** A file in the folder whose node_modules has the clients. */
  readonly clientsOf: string;
}

type Start = (options: WorkloadOptions) => Promise<Workload>;

const loops = 64;
const pipelineLength = 100;
const publishesPerBatch = 200;
const key = "loophound:bench";

type Commands = Record<"get" | "set" | "expire" | "ttl", (...args: unknown[]) => Promise<unknown>>;

export const workloads: Readonly<Record<string, Start>> = {
  /** 64 loops of GET, SET, EXPIRE, TTL, each waiting for its reply. */
  async "ioredis-round-trips"({ port, clientsOf }) {
    const redis = await connectIoredis(port, clientsOf);
    return { burst: (untilMs) => roundTrips(redis, untilMs), close: () => redis.quit() };
  },
  /** Pipelines of 100 GET, one after another. */
  async "ioredis-pipelines"({ port, clientsOf }) {
    const redis = await connectIoredis(port, clientsOf);
    return { burst: (untilMs) => pipelines(redis, untilMs), close: () => redis.quit() };
  },
  async "node-redis-round-trips"({ port, clientsOf }) {
    const { createClient } = createRequire(clientsOf)("redis");
    const redis = createClient({ url: `redis://127.0.0.1:${port}` });
    await redis.connect();
    return { burst: (untilMs) => roundTrips(redis, untilMs), close: () => redis.close() };
  },
  /** Publishes to a queue that does not exist, which the broker drops; every 200 wait for a reply. */
  async "amqplib-publish"({ port, clientsOf }) {
    const { connect } = createRequire(clientsOf)("amqplib");
    const connection = await connect({ hostname: "127.0.0.1", port });
    const channel = await connection.createChannel();
    return { burst: (untilMs) => publishes(channel, untilMs), close: () => connection.close() };
  },
};

async function connectIoredis(port: number, clientsOf: string) {
  const { Redis } = createRequire(clientsOf)("ioredis");
  const redis = new Redis({ host: "127.0.0.1", port });
  await redis.ping();
  return redis;
}

async function roundTrips(redis: Commands, untilMs: number): Promise<number> {
  let operations = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await redis.set(key, "value");
      await redis.get(key);
      await redis.expire(key, 100);
      await redis.ttl(key);
      operations += 4;
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return operations;
}

interface Pipelined {
  pipeline(): { get(key: string): unknown; exec(): Promise<unknown> };
}

async function pipelines(redis: Pipelined, untilMs: number): Promise<number> {
  let operations = 0;
  while (performance.now() < untilMs) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < pipelineLength; i++) pipeline.get(key);
    await pipeline.exec();
    operations += pipelineLength;
  }
  return operations;
}

interface Channel {
  publish(exchange: string, routingKey: string, content: Buffer): boolean;
  prefetch(count: number): Promise<unknown>;
}

async function publishes(channel: Channel, untilMs: number): Promise<number> {
  const content = Buffer.from("x".repeat(100));
  let operations = 0;
  while (performance.now() < untilMs) {
    for (let i = 0; i < publishesPerBatch; i++) channel.publish("", key, content);
    await channel.prefetch(0);
    operations += publishesPerBatch;
  }
  return operations;
}
