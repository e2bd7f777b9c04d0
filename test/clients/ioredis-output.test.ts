// An application that uses ioredis prints the same with our hooks as without: real processes, with
// Node's own module loader, up to an unhandled rejection that ends them.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { packages } from "../support/hooked-client";
import { ioredisLibraries } from "../support/hooked-ioredis";
import { runScript } from "../support/hooked-script";
import { type RedisServer, startRedisServer } from "../support/redis-server";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

test.each(ioredisLibraries)("%s prints the same errors, stacks and all", async (library) => {
  const args = [join(packages, library), `${server.port}`];
  const plain = await runScript({ text: appText, args, isHooked: false });
  const hooked = await runScript({ text: appText, args, isHooked: true });
  expect(plain.code).toBe(1);
  expect(plain.output).toContain("WRONGTYPE");
  expect(plain.output).toContain("Connection is closed");
  expect(plain.output).toMatch(/^unhandled/m);
  expect(hooked.hook).toMatch(/^hook loaded [1-9]/);
  expect({ ...hooked, hook: null }).toEqual(plain);
});

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
