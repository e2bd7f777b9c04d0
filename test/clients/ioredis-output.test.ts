// An application that uses ioredis prints the same with our hooks as without: real processes, with
// Node's own module loader, up to an unhandled rejection that ends them.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ioredisLibraries, packages } from "../support/hooked-ioredis";
import { type RedisServer, startRedisServer } from "../support/redis-server";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

test.each(ioredisLibraries)("%s prints the same errors, stacks and all", async (library) => {
  const plain = await runScript(library, []);
  const hooked = await runScript(library, ["--require", "./preload.cjs"]);
  expect(plain.code).toBe(1);
  expect(plain.output).toContain("WRONGTYPE");
  expect(plain.output).toContain("Connection is closed");
  expect(plain.output).toMatch(/^unhandled/m);
  expect(hooked.hook).toMatch(/^hook loaded [1-9]/);
  expect({ ...hooked, hook: null }).toEqual(plain);
});

interface Run {
  readonly code: number | null;
  readonly output: string;
  /** What our preload said at exit; null without it. */
  readonly hook: string | null;
}

/** A real process: Node's own loader, and a real unhandled rejection at the end. */
function runScript(library: string, nodeArgs: readonly string[]): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "loophound-ioredis-"));
  writeFileSync(join(folder, "preload.cjs"), preloadText);
  writeFileSync(join(folder, "app.cjs"), appText);
  const args = [...nodeArgs, "app.cjs", join(packages, library), `${server.port}`];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) => {
      rmSync(folder, { recursive: true, force: true });
      const hook = /^hook .*$/m.exec(stderr)?.[0] ?? null;
      const output = (stdout + stderr).replace(/^hook .*\n/m, "").replaceAll(folder, "");
      resolve({ code: error === null ? 0 : Number(error.code), output, hook });
    });
  });
}

const agent = join(__dirname, "../../agent");
const preloadText = `
const { createLedger, ledgerWriter, headIndex } = require(${JSON.stringify(`${agent}/base/ledger.js`)});
const { createRegistry } = require(${JSON.stringify(`${agent}/instrument/registry.js`)});
const { installClients } = require(${JSON.stringify(`${agent}/instrument/install.js`)});
const buffer = createLedger();
const { hooked, moduleHookKind } = installClients({
  ledger: ledgerWriter(buffer),
  registry: createRegistry(() => {}),
  now: () => performance.now(),
  onFirstClient() {},
});
process.on("exit", () => {
  const records = new Float64Array(buffer, 0, 1)[headIndex];
  process._rawDebug("hook " + moduleHookKind + " " + records + " " + hooked);
});`;

const appText = `
Error.stackTraceLimit = 100;
const [, , library, port] = process.argv;
const loaded = require(library);
const Redis = loaded.default ?? loaded;
const quiet = (client) => client.on("error", () => {});
const show = (what, promise) => promise.then(
  (value) => console.log(what, value),
  (error) => console.log(what, error.stack),
);
(async () => {
  const redis = quiet(new Redis({ port }));
  await redis.set("text", "value");
  await show("error reply", redis.hgetall("text"));
  await show("pipeline", redis.pipeline().hgetall("text").get("text").exec());
  await show("friendly", quiet(new Redis({ port, showFriendlyErrorStack: true })).hgetall("text"));
  const subscriber = quiet(new Redis({ port }));
  await subscriber.subscribe("channel");
  const message = new Promise((resolve) => subscriber.on("message", () => {
    resolve(console.log(new Error("in a message handler").stack));
  }));
  await redis.publish("channel", "message");
  await message;
  const refused = { port: 1, retryStrategy: () => 5, maxRetriesPerRequest: 1 };
  await show("no queue", quiet(new Redis({ ...refused, enableOfflineQueue: false })).get("a"));
  await show("too many retries", quiet(new Redis(refused)).get("a"));
  const inFlight = show("in flight", redis.blpop("never", 0));
  redis.disconnect();
  await inFlight;
  await show("closed", redis.get("a"));
  process.on("unhandledRejection", (error) => {
    console.log("unhandled", error.stack);
    process.exit(1);
  });
  redis.get("a");
})();`;
