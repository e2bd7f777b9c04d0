// The whole agent with an application on node-redis: who paid for a stall, and what a storm of
// connections looks like.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { nodeRedisLibraries } from "../support/hooked-node-redis";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { askHealth, eventually } from "./support/page";
import { appPath, blamingTheApp, startWatched, type WatchedApp } from "./support/watched-app";

/** Close to its latency: what is left is the network, and Redis itself. */
const loopShareLeast = 0.9;
const storm = 20;
const looks = 15;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(library: string, way: "sync" | "async"): Promise<WatchedApp> {
  // A command that a busy machine was slow with is another story.
  const env = {
    REDIS_PORT: `${server.port}`,
    LIBRARY: library,
    STORM: `${storm}`,
    LOOPHOUND_SLOW_COMMAND_MS: "20000",
  };
  const one = await startWatched(appPath("node-redis-pays.js"), { args: [way], env });
  watched.push(one);
  return one;
}

describe.each(nodeRedisLibraries)("%s", (library) => {
  test("a command that a stall held up is told with the proof that it was answered", async () => {
    const { app, stall } = await start(library, "sync");
    await stall();
    const incident = await app.waitForIncident(({ state }) => state === "closed");
    const expire = incident.commands.find(({ command }) => command === "EXPIRE");
    expect(expire).toMatchObject({
      client: "node-redis",
      count: 1,
      host: "127.0.0.1",
      port: server.port,
    });
    const share = (expire?.blame.loopMs ?? 0) / (expire?.maxMs ?? 0);
    expect(share).toBeGreaterThan(loopShareLeast);
    expect(incident.evidence).toContainEqual(
      expect.objectContaining({ kind: "reply-waiting", says: expect.stringContaining("EXPIRE") }),
    );
  });

  test("without a stall there is no incident, and a storm of connections is seen for what it is", async () => {
    const { app, go, hold, port, metric } = await start(library, "async");
    go.letGo();
    await app.waitForOutput(/prolonged/);
    for (let look = 0; look < looks; look += 1) await askHealth(port);
    hold.letGo();
    await app.waitForOutput(/waited/);
    const accusing = blamingTheApp(app.incidents()).filter(({ cause }) => cause !== "unknown");
    expect(accusing).toEqual([]);
    const label = `client="node-redis",server="127.0.0.1:${server.port}"`;
    await eventually(
      async () =>
        (await metric("loophound_connections_closed_total", label)) === storm ? 1 : null,
      "all closed connections in the metrics",
    );
    expect(await metric("loophound_connections_opened_total", label)).toBe(storm + 1);
    expect(await metric("loophound_connections", label)).toBe(1);
  });
});
