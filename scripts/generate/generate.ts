// `npm run generate`: writes the tables of Redis commands from what a private redis-server says, and the
// dashboard.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type RedisServer, startRedisServer } from "../../test/support/redis-server";
import { dashboardText } from "./dashboard";
import { blockingTable, commandTable, joinReplies } from "./redis-commands";

/** This file runs as dist/scripts/generate/generate.js. */
const repository = join(__dirname, "../../..");

export interface GeneratedTables {
  /** Of the server that was asked. */
  readonly version: string;
  /** Text by path from the repository's root. */
  readonly files: Readonly<Record<string, string>>;
}

/** The server must be 7.0 or later: earlier ones do not know COMMAND DOCS. */
export async function generateFrom(server: Pick<RedisServer, "host" | "port">) {
  const redis = new Redis({ host: server.host, port: server.port, protocol: 2 });
  try {
    const info = await redis.info("server");
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? "unknown";
    const commands = joinReplies(await redis.call("COMMAND"), await redis.call("COMMAND", "DOCS"));
    const tables: GeneratedTables = {
      version,
      files: {
        "agent/model/redis-commands.ts": commandTable(commands, version),
        "agent/model/blocking-commands.ts": blockingTable(commands, version),
      },
    };
    return tables;
  } finally {
    redis.disconnect();
  }
}

/** Where the dashboard lies, from the repository's root. */
export const dashboardFile = "exporters/dashboard/loophound.json";

async function main(): Promise<void> {
  writeFileSync(join(repository, dashboardFile), dashboardText());
  console.log(`wrote ${dashboardFile}`);
  const server = await startRedisServer();
  try {
    const { version, files } = await generateFrom(server);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(repository, path), text);
    console.log(`redis-server ${version}: wrote ${Object.keys(files).join(", ")}`);
  } finally {
    await server.stop();
  }
}

if (require.main === module) void main();
