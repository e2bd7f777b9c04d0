// An application that uses node-redis prints the same with our hooks as without: every error that a
// client makes, with its stack, and what runs inside it, up to an unhandled rejection.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { packages } from "../support/hooked-client";
import { majorOf, nodeRedisLibraries } from "../support/hooked-node-redis";
import { runScript } from "../support/hooked-script";
import { findNodeVersions } from "../support/node-versions";
import { type RedisServer, startRedisServer } from "../support/redis-server";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

/** The hooks reach into Node's own streams, so every version is looked at. */
const cases = findNodeVersions().flatMap(({ version, binary }) =>
  nodeRedisLibraries.map((library) => ({ library, version, binary })),
);

test.each(cases)(
  "$library on Node $version prints the same errors, stacks and all",
  async ({ library, binary }) => {
    const args = [join(packages, library), `${server.port}`, `${majorOf(library)}`];
    const common = { text: appText, args, nodeBinary: binary };
    const plain = await runScript({ ...common, isHooked: false });
    const hooked = await runScript({ ...common, isHooked: true });
    expect(plain.code).toBe(1);
    for (const what of [
      /^error reply WRONGTYPE/m,
      /^not encodable TypeError/m,
      /^aborted/m,
      /^full .*queue is full/m,
      /^in flight .*Socket closed unexpectedly/m,
      /^in a listener/m,
      /^offline .*offline/m,
      /^destroyed .*Disconnects client/m,
      /^closed .*closed/m,
      /^unhandled/m,
    ]) {
      expect(plain.output).toMatch(what);
    }
    expect(hooked.hook).toMatch(/^hook loaded [1-9]\d* 0 node-redis$/);
    expect({ ...hooked, hook: null }).toEqual(plain);
  },
);

const appText = `
Error.stackTraceLimit = 100;
const [, , library, port, major] = process.argv;
const redis = require(library);
const text = (error) => error.message + "\\n" + error.stack;
const show = (what, promise) => Promise.resolve(promise).then(
  (value) => console.log(what, value),
  (error) => console.log(what, error.name === "TypeError" ? error.stack : text(error)),
);
const make = (options) => {
  const client = redis.createClient({ ...options, socket: { host: "127.0.0.1", port, reconnectStrategy: () => 5, ...options?.socket } });
  client.on("error", (error) => console.log("error event", text(error)));
  return client;
};
const destroy = (client) => client.destroy ? client.destroy() : client.disconnect();
(async () => {
  const client = make();
  await client.connect();
  await client.set("text", "value");
  await show("error reply", client.hGetAll("text"));
  await show("transaction", client.multi().hGetAll("text").get("text").exec());
  await show("not encodable", client.sendCommand(["SET", {}]));
  const abort = new AbortController();
  const offline = make({ commandsQueueMaxLength: 20 });
  const connecting = offline.connect();
  const aborted = major === "4"
    ? offline.get(redis.commandOptions({ signal: abort.signal }), "a")
    : offline.withAbortSignal(abort.signal).get("a");
  abort.abort();
  await show("aborted", aborted);
  await connecting;
  const many = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => offline.get("k" + i)));
  await show("full", Promise.reject(many.at(-1).reason));
  const subscriber = make();
  await subscriber.connect();
  const heard = new Promise((resolve) => subscriber.subscribe("channel", () => {
    console.log("in a listener", new Error().stack);
    resolve();
  }));
  await client.publish("channel", "message");
  await heard;
  await subscriber.unsubscribe();
  const victim = make();
  await victim.connect();
  const id = await victim.sendCommand(["CLIENT", "ID"]);
  const inFlight = show("in flight", victim.blPop("never", 0));
  await client.sendCommand(["CLIENT", "KILL", "ID", String(id)]);
  await inFlight;
  await show("after the reconnect", victim.get("text"));
  const refused = make({ disableOfflineQueue: true, socket: { port: 1 } });
  const failing = refused.connect();
  failing.catch(() => {});
  await show("offline", refused.get("a"));
  await destroy(refused);
  const blocked = show("destroyed", victim.blPop("never", 0));
  await new Promise(setImmediate);
  await destroy(victim);
  await blocked;
  await show("closed", victim.get("a"));
  await show("quit", subscriber.quit());
  await offline.quit();
  process.on("unhandledRejection", (error) => {
    console.log("unhandled", text(error));
    process.exit(1);
  });
  client.hGetAll("text");
})();`;
