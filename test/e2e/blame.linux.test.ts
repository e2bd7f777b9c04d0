// Whose time a slow command was: the server's, the path's, its own client's or the loop's. Faults are made
// outside of the application, and last until the agent's own figures show that they were noticed.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { execPath, kill } from "node:process";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Cause } from "../../agent/model/cause";
import type { Incident } from "../../agent/model/incident";
import { freePort } from "../support/free-port";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import type { Environment } from "../support/run-app";
import { eventually } from "./support/page";
import { appPath, startWatched, type WatchedApp } from "./support/watched-app";

jest.setTimeout(60_000);

const script = appPath("redis-traffic.js");
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Scene {
  readonly redis: RedisServer;
  /** The test's own client, beside the application. */
  readonly control: Redis;
  readonly watched: WatchedApp;
}

async function setUp(env: Environment = {}, port?: number): Promise<Scene> {
  const redis = await startRedisServer({ config: ["enable-debug-command yes"] });
  cleanUps.push(() => redis.stop());
  const control = new Redis(redis.port);
  cleanUps.push(() => control.disconnect());
  return { redis, control, watched: await start(env, port ?? redis.port) };
}

async function start(env: Environment, port: number): Promise<WatchedApp> {
  const watched = await startWatched(script, { env: { REDIS_PORT: String(port), ...env } });
  cleanUps.push(() => watched.stop());
  // Enough commands for the agent to know what is usual.
  await eventually(
    async () =>
      (await watched.metric("loophound_command_duration_seconds_count")) > 50 ? true : null,
    "the application's traffic",
  );
  return watched;
}

const openAtLeast = (watched: WatchedApp, count: number) =>
  eventually(
    async () => ((await watched.metric("loophound_commands_open")) >= count ? true : null),
    `${count} open commands`,
  );

const experiments = (watched: WatchedApp) => watched.metric("loophound_control_experiments_total");

/** Stops the server until an experiment has met it, and enough commands wait. */
async function holdServer({ pid }: RedisServer, watched: WatchedApp): Promise<void> {
  const before = await experiments(watched);
  kill(pid, "SIGSTOP");
  await experimentsAtLeast(watched, before + 1);
  await openAtLeast(watched, 60);
  kill(pid, "SIGCONT");
}

const experimentsAtLeast = (watched: WatchedApp, count: number) =>
  eventually(
    async () => ((await experiments(watched)) >= count ? true : null),
    `${count} control experiments`,
  );

/** Every command of the incident: its parts add up, and the named one has most of it. */
function expectMostly(incident: Incident, part: keyof Incident["commands"][number]["blame"]) {
  expect(incident.commands.length).toBeGreaterThan(0);
  for (const { blame, maxMs } of incident.commands) {
    const sum = Object.values(blame).reduce((total, one) => total + one, 0);
    expect(sum).toBeCloseTo(maxMs, 3);
    expect(blame[part]).toBeGreaterThanOrEqual(0.5 * (maxMs - blame.intendedMs));
  }
}

/** What is said of anybody but the application's own code and the machine, which may have been busy. */
const accused = (watched: WatchedApp): readonly Cause[] => {
  const others: readonly Cause[] = [
    "server-slow",
    "network-slow",
    "client-queue",
    "sync-native-io",
  ];
  const causes = new Set(watched.app.incidents().map(({ cause }) => cause));
  return others.filter((cause) => causes.has(cause));
};

describe("a stopped server", () => {
  test("and later a blocked loop are two incidents with two causes, each command charged to its own", async () => {
    const { redis, control, watched } = await setUp();
    await holdServer(redis, watched);
    const slow = await watched.app.waitForIncident(({ cause }) => cause === "server-slow");
    expectMostly(slow, "serverMs");
    expect(slow.evidence.map(({ kind }) => kind)).toContain("control-ping");
    expect(slow.culprit).toBeNull();

    watched.go.letGo("b");
    await watched.stalledFor(200);
    await control.rpush("lock", "free");
    const blocked = await watched.app.waitForIncident(({ cause }) => cause === "sync-native-io");
    expectMostly(blocked, "loopMs");
    expect(blocked.commands.map(({ command }) => command).sort()).toEqual(["EXPIRE", "TTL"]);
    expect(accused(watched)).toEqual(["server-slow", "sync-native-io"]);
  });

  test("that hangs is told while it hangs, and again when it is over", async () => {
    const { redis, watched } = await setUp();
    kill(redis.pid, "SIGSTOP");
    const open = await watched.app.waitForIncident(({ state }) => state === "open");
    expect(open).toMatchObject({ cause: "server-slow", stall: null });
    kill(redis.pid, "SIGCONT");
    const closed = await watched.app.waitForIncident(
      ({ state, id }) => state === "closed" && id === open.id,
    );
    expect(closed.cause).toBe("server-slow");
    expect(closed.durationMs).toBeGreaterThanOrEqual(open.durationMs);
  });
});

describe("a stopped server is named whatever the way to it", () => {
  const key = join(__dirname, "../../../test/fixtures/tls/key.pem");
  const cert = join(__dirname, "../../../test/fixtures/tls/cert.pem");

  test.each([
    ["with a password", (_port: number) => ["requirepass secret"], { REDIS_PASSWORD: "secret" }],
    [
      "over a Unix socket",
      (_port: number) => ["unixsocket redis.sock"],
      { REDIS_PATH: "redis.sock" },
    ],
    [
      "over TLS, with a certificate that it demands",
      (port: number) => [
        `tls-port ${port}`,
        `tls-cert-file ${cert}`,
        `tls-key-file ${key}`,
        `tls-ca-cert-file ${cert}`,
      ],
      { REDIS_TLS: cert, REDIS_TLS_KEY: key },
    ],
  ])("%s", async (_, configFor, env: Environment) => {
    const tlsPort = await freePort();
    const redis = await startRedisServer({ config: configFor(tlsPort) });
    cleanUps.push(() => redis.stop());
    const path =
      env["REDIS_PATH"] === undefined ? {} : { REDIS_PATH: join(redis.directory, "redis.sock") };
    const port = env["REDIS_TLS"] === undefined ? redis.port : tlsPort;
    const watched = await start({ ...env, ...path }, port);
    await holdServer(redis, watched);
    expectMostly(
      await watched.app.waitForIncident(({ cause }) => cause === "server-slow"),
      "serverMs",
    );
    expect(JSON.stringify(watched.app.incidents())).not.toContain("secret");
  });
});

// Longer than the second for which an experiment that came before forbids another.
test("a long script is the server's", async () => {
  const { control, watched } = await setUp();
  await control.eval(
    "local function now() local t = redis.call('TIME') return t[1] * 1e6 + t[2] end local until_us = now() + 1500000 repeat until now() > until_us",
    0,
  );
  expectMostly(
    await watched.app.waitForIncident(({ cause }) => cause === "server-slow"),
    "serverMs",
  );
});

test("a long path is the network's, and Redis is not accused", async () => {
  const redis = await startRedisServer();
  cleanUps.push(() => redis.stop());
  const port = await freePort();
  const proxy = await startProxy(port, redis.port);
  const watched = await start({}, port);
  proxy.delay(300);
  const slow = await watched.app.waitForIncident(({ cause }) => cause === "network-slow");
  expectMostly(slow, "networkMs");
  expect(accused(watched)).not.toContain("server-slow");
});

async function startProxy(listenPort: number, targetPort: number) {
  const args = [appPath("delaying-proxy.js"), String(listenPort), String(targetPort)];
  const proxy: ChildProcess = spawn(execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  cleanUps.push(() => proxy.kill("SIGKILL"));
  await new Promise((resolve) => proxy.stdout?.once("data", resolve));
  return { delay: (delayMs: number) => void proxy.stdin?.write(`${delayMs}\n`) };
}

test("a flood and a storm of connections beside a blocking addon are bystanders, and the addon the cause", async () => {
  const { control, watched } = await setUp({ FLOOD_SIZE: "3000", STORM_SIZE: "60" });
  const commands = () => watched.metric("loophound_command_duration_seconds_count");
  // What is usual takes a few seconds to know.
  await eventually(
    async () => ((await commands()) >= 1600 ? true : null),
    "some seconds of traffic",
  );
  watched.go.letGo("c");
  await eventually(
    async () => ((await watched.metric("loophound_connections_opened_total")) >= 60 ? true : null),
    "the storm of connections",
  );
  watched.go.letGo("fb");
  // The flood itself holds the loop for a while too.
  await watched.stalledFor(1000);
  await control.rpush("lock", "free");
  const blocked = await watched.app.waitForIncident(({ cause }) => cause === "sync-native-io");
  expect(blocked.culprit?.module).toBe("syncredis.node");
  const beside = blocked.evidence.filter(({ kind }) => kind === "bystander");
  expect(beside.map(({ what }) => what)).toEqual(
    expect.arrayContaining(["connections-opened", "commands-outstanding"]),
  );
});

const inBlpop = (control: Redis) =>
  eventually(
    async () => (String(await control.client("LIST")).includes("cmd=blpop") ? true : null),
    "a client in BLPOP",
  );

test("EXPIRE behind BLPOP on one connection waited in its own client", async () => {
  const { control, watched } = await setUp();
  watched.go.letGo("p");
  await inBlpop(control);
  // Long enough for an incident: the next experiment comes a second after the first.
  await experimentsAtLeast(watched, 2);
  await control.rpush("queue", "work");
  const slow = await watched.app.waitForIncident(({ cause }) => cause === "client-queue");
  expect(slow.commands).toMatchObject([{ command: "EXPIRE", count: 1 }]);
  expectMostly(slow, "queueMs");
  expect(accused(watched)).not.toContain("server-slow");
});

test("BLPOP without end is no incident", async () => {
  const { control, watched } = await setUp();
  watched.go.letGo("l");
  await inBlpop(control);
  const commands = () => watched.metric("loophound_command_duration_seconds_count");
  const before = await commands();
  await eventually(async () => ((await commands()) >= before + 400 ? true : null), "more traffic");
  const told = watched.app.incidents().flatMap((incident) => incident.commands);
  expect(told.map(({ command }) => command)).not.toContain("BLPOP");
});

describe("control experiments", () => {
  /** What the server has seen: connections accepted, and PINGs answered. */
  async function seenBy(control: Redis) {
    const figure = async (section: string, pattern: RegExp): Promise<number> =>
      Number(pattern.exec(await control.info(section))?.[1] ?? 0);
    return {
      connections: await figure("stats", /total_connections_received:(\d+)/),
      pings: await figure("commandstats", /cmdstat_ping:calls=(\d+)/),
    };
  }

  async function stopFor(redis: RedisServer, watched: WatchedApp): Promise<void> {
    kill(redis.pid, "SIGSTOP");
    await openAtLeast(watched, 60);
    kill(redis.pid, "SIGCONT");
    await watched.app.waitForIncident(({ commands }) => commands.some((one) => one.count > 1));
  }

  test("cost the server one connection and one PING each, and are counted", async () => {
    const { redis, control, watched } = await setUp();
    const [before, made] = [await seenBy(control), await experiments(watched)];
    await holdServer(redis, watched);
    await watched.app.waitForIncident(({ cause }) => cause === "server-slow");
    const [after, nowMade] = [await seenBy(control), await experiments(watched)];
    expect(nowMade).toBeGreaterThan(made);
    expect(after.connections - before.connections).toBe(nowMade - made);
    expect(after.pings - before.pings).toBe(nowMade - made);
  });

  test("are not made with LOOPHOUND_PROBE=off, and then nobody is accused", async () => {
    const { redis, control, watched } = await setUp({ LOOPHOUND_PROBE: "off" });
    const before = await seenBy(control);
    await stopFor(redis, watched);
    expect(await seenBy(control)).toEqual(before);
    expect(await experiments(watched)).toBe(0);
    expect(accused(watched)).toEqual([]);
  });
});
