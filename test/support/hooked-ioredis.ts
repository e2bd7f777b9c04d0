// ioredis and its fork under jest with their hooks on.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, Command, Redis, RedisOptions } from "ioredis";
import { ioredisAdapter } from "../../agent/instrument/ioredis";
import { type HookedClient, hookFiles, packages } from "./hooked-client";

/** ioredis and its fork, in all versions that are installed under an alias such as `ioredis5`. */
export const ioredisLibraries: readonly string[] = readdirSync(packages).filter((name) =>
  /^(?:ioredis|iovalkey)\d*$/.test(name),
);

export interface HookedRedis extends HookedClient {
  readonly Redis: (new (
    options: RedisOptions,
  ) => Redis) & {
    readonly Cluster: new (nodes: { host: string; port: number }[]) => Cluster;
    readonly Command: typeof Command;
  };
}

export function loadHooked(library: string): HookedRedis {
  const root = join(packages, library);
  const hooked = hookFiles(ioredisAdapter, root);
  const loaded = require(root);
  return { ...hooked, Redis: loaded.default ?? loaded };
}
