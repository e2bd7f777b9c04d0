// The committed tables of Redis commands against what a real redis-server says of itself.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { redisVersion } from "../../agent/model/redis-commands";
import { generateFrom } from "../../scripts/generate/generate";
import { startRedisServer } from "../support/redis-server";

/** This file runs as dist/test/clients/redis-commands.test.js. */
const repository = join(__dirname, "../../..");

test("a fresh generation equals the committed tables", async () => {
  const server = await startRedisServer();
  try {
    const { version, files } = await generateFrom(server);
    if (version !== redisVersion) {
      process.stderr.write(
        `not compared: the tables are of redis-server ${redisVersion}, this machine has ${version}\n`,
      );
      return;
    }
    for (const [path, text] of Object.entries(files)) {
      expect(readFileSync(join(repository, path), "utf8")).toBe(text);
    }
  } finally {
    await server.stop();
  }
});
