// Two copies of a client library take turns in this process, on sockets in memory. The agent is preloaded:
// it hooks the copy that lies where npm puts it, and not those whose folders have other names.
// Arguments: workload, `plain` or `hooked` (the second copy), a file beside the clients' node_modules.
// Prints nanoseconds per operation for each pair of blocks, as JSON.

import { EventEmitter } from "node:events";
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
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

const makers: Readonly<Record<string, (library: string) => Promise<Work>>> = {
  async "ioredis-round-trips"(library) {
    const redis = await ioredisOn(library);
    return async () => {
      for (let sent = 0; sent < commandsPerBlock; sent += inFlight) {
        await Promise.all(Array.from({ length: inFlight }, () => redis.get("key")));
      }
    };
  },
  async "ioredis-pipelines"(library) {
    const redis = await ioredisOn(library);
    return async () => {
      for (let sent = 0; sent < commandsPerBlock; sent += 100) {
        const pipeline = redis.pipeline();
        for (let i = 0; i < 100; i++) pipeline.get("key");
        await pipeline.exec();
      }
    };
  },
};

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

/** A copy that no path of the agent's targets fits: `built` and `dist` have other names in it. */
function plainCopy(folder: string, name: string, number: number): string {
  const copy = join(dirname(folder), `${name}-plain-${number}`);
  if (!existsSync(join(copy, "renamed"))) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(folder, copy, { recursive: true });
    renameSync(join(copy, "built"), join(copy, "renamed"));
  }
  return join(copy, "renamed/index.js");
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
  const make = makers[workload];
  if (make === undefined) throw new Error(`no workload ${workload}`);
  const entry = createRequire(clientsOf).resolve("ioredis");
  const folder = dirname(dirname(entry));
  // The agent would know the plain copies by their shape; it stops looking after so many emitters.
  for (let i = 0; i < emittersMax; i++) new EventEmitter();
  const plain = await make(plainCopy(folder, "ioredis", 1));
  const other = await make(kind === "hooked" ? entry : plainCopy(folder, "ioredis", 2));
  const pairs = await takeTurns(timed(plain), timed(other), blocks);
  process.stdout.write(JSON.stringify(pairs), () => process.exit());
}

void main();
