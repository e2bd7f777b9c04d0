// Two copies of a client library take turns in this process, on sockets in memory. The agent is preloaded:
// it hooks the copy that lies where npm puts it, and not those whose folders have other names.
// Arguments: workload, `plain` or `hooked` (the second copy), a file beside the clients' node_modules.
// Prints nanoseconds per operation for each pair of blocks, as JSON.

import { EventEmitter } from "node:events";
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { argv } from "node:process";
import { emittersMax } from "../../agent/instrument/shapes";
import { ReplyStream } from "./memory-socket";
import { type Block, takeTurns } from "./turns";

const blocks = 150;
const commandsPerBlock = 2000;
const inFlight = 500;

interface Client {
  get(key: string): Promise<unknown>;
  pipeline(): { get(key: string): unknown; exec(): Promise<unknown> };
}

type Work = () => Promise<void>;

interface Workload {
  /** As its users require it. */
  readonly library: string;
  /** The folder of its files, by which the agent knows them. */
  readonly built: string;
  make(library: string): Promise<Work>;
}

const workloads: Readonly<Record<string, Workload>> = {
  "ioredis-round-trips": {
    library: "ioredis",
    built: "built",
    make: async (library) => roundTrips(await ioredisOn(library)),
  },
  "ioredis-pipelines": {
    library: "ioredis",
    built: "built",
    make: async (library) => pipelines(await ioredisOn(library)),
  },
  "node-redis-round-trips": {
    library: "@redis/client",
    built: "dist",
    make: async (library) => roundTrips(await nodeRedisOn(library)),
  },
};

const roundTrips = (redis: Pick<Client, "get">) => async (): Promise<void> => {
  for (let sent = 0; sent < commandsPerBlock; sent += inFlight) {
    await Promise.all(Array.from({ length: inFlight }, () => redis.get("key")));
  }
};

const pipelines = (redis: Client) => async (): Promise<void> => {
  for (let sent = 0; sent < commandsPerBlock; sent += 100) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 100; i++) pipeline.get("key");
    await pipeline.exec();
  }
};

/** It connects by node:net alone. */
async function nodeRedisOn(library: string): Promise<Pick<Client, "get">> {
  const { createClient } = require(library);
  // Without the time-out that version 6 gives each command: its timers take five times what the rest does.
  const redis = createClient({ RESP: 2, commandOptions: { timeout: undefined } });
  const { createConnection } = net;
  net.createConnection = (() => {
    const socket = new ReplyStream();
    setImmediate(() => socket.emit("connect"));
    return socket;
  }) as unknown as typeof createConnection;
  await redis.connect();
  net.createConnection = createConnection;
  return redis;
}

/** `Connector` is an option of ioredis: what it gives is the socket. */
async function ioredisOn(library: string): Promise<Client> {
  const { Redis } = require(library);
  class Connector {
    connect = async (): Promise<unknown> => new ReplyStream();
    check = (): boolean => true;
    disconnect(): void {}
  }
  const redis = new Redis({
    Connector,
    enableReadyCheck: false,
    protocol: 2,
    disableClientInfo: true,
  });
  await redis.get("key");
  return redis;
}

/** A copy that no path of the agent's targets fits: the folder of its files has another name. */
function plainCopy(entry: string, built: string, number: number): string {
  const root = entry.slice(0, entry.lastIndexOf(`/${built}/`));
  const copy = join(dirname(root), `${basename(root)}-plain-${number}`);
  const renamed = join(copy, "renamed");
  if (!existsSync(renamed)) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(root, copy, { recursive: true });
    renameSync(join(copy, built), renamed);
  }
  return join(renamed, entry.slice(root.length + built.length + 2));
}

const timed =
  (work: Work): Block =>
  async () => {
    const before = performance.now();
    await work();
    return ((performance.now() - before) * 1e6) / commandsPerBlock;
  };

async function main(): Promise<void> {
  const [workload = "", kind, clientsOf = ""] = argv.slice(2);
  const chosen = workloads[workload];
  if (chosen === undefined) throw new Error(`no workload ${workload}`);
  const { library, built, make } = chosen;
  const entry = createRequire(clientsOf).resolve(library);
  // The agent would know the plain copies by their shape; it stops looking after so many emitters.
  for (let i = 0; i < emittersMax; i++) new EventEmitter();
  const plain = await make(plainCopy(entry, built, 1));
  const other = await make(kind === "hooked" ? entry : plainCopy(entry, built, 2));
  const pairs = await takeTurns(timed(plain), timed(other), blocks);
  process.stdout.write(JSON.stringify(pairs), () => process.exit());
}

void main();
