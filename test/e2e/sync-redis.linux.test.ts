// The founding incident in one command: a synchronous native Redis client waits, and a command of the
// asynchronous one pays for it. Real redis-server, real addon.

import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { askHealth, eventually } from "./support/page";
import {
  appPath,
  blamingTheApp,
  blockingLine,
  startWatched,
  type WatchedApp,
} from "./support/watched-app";

const script = appPath("redis-lock.js");
/** Close to its latency: what is left is the network, and Redis itself. */
const loopShareLeast = 0.9;
const looks = 15;

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedisServer();
  redis = new Redis({ host: server.host, port: server.port });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(way: "sync" | "async", app = script): Promise<WatchedApp> {
  const one = await startWatched(app, { args: [way], env: { REDIS_PORT: `${server.port}` } });
  watched.push(one);
  return one;
}

test("a synchronous native client is named with its addon, server and line, and with the command that paid", async () => {
  const { app, go, stalledFor } = await start("sync");
  go.letGo();
  await stalledFor(300);
  await redis.rpush("lock", "token");
  const incident = await app.waitForIncident(({ state }) => state === "closed");
  const peer = { host: "127.0.0.1", port: server.port };
  expect(incident).toMatchObject({
    cause: "sync-native-io",
    culprit: {
      module: "syncredis.node",
      peer,
      site: {
        function: "lockOnLoop",
        file: expect.stringMatching(/redis-lock\.js$/),
        line: blockingLine(script),
      },
    },
  });
  expect(["read", "recvfrom", "poll", "ppoll"]).toContain(incident.culprit?.syscall);
  const expire = incident.commands.find(({ command }) => command === "EXPIRE");
  expect(expire).toMatchObject({ client: "ioredis", count: 1, ...peer });
  const share = (expire?.blame.loopMs ?? 0) / (expire?.maxMs ?? 0);
  expect(share).toBeGreaterThan(loopShareLeast);
  expect(share).toBeLessThanOrEqual(1);
  expect(incident.evidence).toContainEqual(
    expect.objectContaining({ kind: "reply-waiting", says: expect.stringContaining("EXPIRE") }),
  );
  await app.waitForOutput(/prolonged/);
});

test("in a worker thread it is that thread's, with the command that the worker had sent", async () => {
  const { app, go, port } = await start("sync", appPath("redis-lock-worker.js"));
  go.letGo();
  await eventually(
    async () =>
      (await askHealth(port)).threads.some(
        ({ threadId, stalledForMs }) => threadId === 1 && stalledForMs > 300,
      ) || null,
    "a stall of the worker on /healthz",
  );
  await redis.rpush("lock", "token");
  const incident = await app.waitForIncident(
    ({ state, threadId }) => state === "closed" && threadId === 1,
  );
  expect(incident).toMatchObject({
    cause: "sync-native-io",
    culprit: {
      module: "syncredis.node",
      peer: { host: "127.0.0.1", port: server.port },
      site: { function: "lockOnLoop", line: blockingLine(script) },
    },
    commands: [{ client: "ioredis", command: "EXPIRE", count: 1, port: server.port }],
  });
  expect(incident.evidence).toContainEqual(expect.objectContaining({ kind: "reply-waiting" }));
  await app.waitForOutput(/prolonged/);
  expect(blamingTheApp(app.incidents()).filter(({ threadId }) => threadId === 0)).toEqual([]);
});

test("the asynchronous client that waits as long for the same lock gives no incident", async () => {
  const { app, go, port, metric } = await start("async");
  go.letGo();
  await app.waitForOutput(/waiting\n[\s\S]*prolonged/);
  for (let look = 0; look < looks; look += 1) await askHealth(port);
  await redis.rpush("lock", "token");
  await app.waitForOutput(/waited/);
  expect(blamingTheApp(app.incidents())).toEqual([]);
  expect(await metric("loophound_incidents_total", 'cause="sync-native-io"')).toBe(0);
});

test("nothing that was said to Redis stands in an incident but the command's name", async () => {
  const { app, go, port, stalledFor } = await start("sync");
  go.letGo();
  await stalledFor(150);
  await redis.rpush("lock", "token");
  await app.waitForIncident(({ state }) => state === "closed");
  const said = JSON.stringify(app.incidents()) + app.stderr() + (await askHealth(port)).cause;
  for (const secret of ["session", "1800", "token", '"lock"']) expect(said).not.toContain(secret);
});
