// The real ioredis against a private, real redis-server: what the ledger says of its commands.

import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Redis, RedisOptions } from "ioredis";
import { expectTimesInOrder, type Row, until } from "../support/hooked-client";
import { type HookedRedis, ioredisLibraries, loadHooked } from "../support/hooked-ioredis";
import { type RedisServer, startRedisServer } from "../support/redis-server";

const names = (rows: readonly Row[]): readonly string[] => rows.map(({ command }) => command);
const states = (rows: readonly Row[]): readonly string[] => rows.map(({ state }) => state);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

describe.each(ioredisLibraries)("%s", (library) => {
  let client: HookedRedis;
  const connections: Redis[] = [];
  beforeEach(() => {
    client = loadHooked(library);
  });
  afterEach(() => {
    for (const redis of connections.splice(0)) redis.disconnect();
    client.uninstall();
  });
  const connect = (options: RedisOptions = {}): Redis => {
    const redis = new client.Redis({
      host: server.host,
      port: server.port,
      // A second disconnect leaves a timer of this length, for which jest would wait.
      disconnectTimeout: 100,
      ...options,
    });
    redis.on("error", () => undefined);
    connections.push(redis);
    return redis;
  };
  const connectReady = async (options: RedisOptions = {}): Promise<Redis> => {
    const redis = connect(options);
    await redis.ping();
    return redis;
  };

  test("is hooked under the name that its users know", () => {
    expect(client.hooked).toEqual([library.startsWith("iovalkey") ? "iovalkey" : "ioredis"]);
  });

  test("has one record a command, with its name, its server and its times in order", async () => {
    const redis = await connectReady();
    await redis.set("key", "value");
    expect(await redis.get("key")).toBe("value");
    expect(await redis.call("EXPIRE", "key", "100")).toBe(1);
    const rows = await client.settled();
    expect(names(rows)).toEqual(["PING", "SET", "GET", "EXPIRE"]);
    expect(new Set(states(rows))).toEqual(new Set(["replied"]));
    expect(new Set(rows.map(({ port }) => port))).toEqual(new Set([server.port]));
    expectTimesInOrder(rows);
  });

  test("reads of a blocking command how long it was asked to wait, and nothing else", async () => {
    const redis = await connectReady();
    await redis.blpop("nothing", 0.01);
    await redis.call("BRPOP", Buffer.from("nothing"), Buffer.from("0.02"));
    await redis.xread("COUNT", 1, "STREAMS", "nothing", "0");
    await redis.xread("BLOCK", 5, "STREAMS", "nothing", "$");
    await redis.set("key", 7);
    const rows = (await client.settled()).map(({ command, askedMs }) => [command, askedMs]);
    expect(rows).toEqual([
      ["PING", null],
      ["BLPOP", 10],
      ["BRPOP", 20],
      ["XREAD", 0],
      ["XREAD", 5],
      ["SET", null],
    ]);
  });

  test("counts what is unanswered before a command on its connection", async () => {
    const redis = await connectReady();
    await Promise.all([redis.get("a"), redis.get("b"), redis.get("c")]);
    const rows = (await client.settled()).filter(({ command }) => command === "GET");
    expect(rows.map(({ ahead }) => ahead)).toEqual([0, 1, 2]);
  });

  test("notes commands that wait for the connection when they are called", async () => {
    const redis = connect({ lazyConnect: true });
    const waiting = Promise.all([redis.get("a"), redis.get("b")]);
    expect(client.records()).toMatchObject([
      { command: "GET", state: "called", connectionId: 0, sentMs: null, ahead: 0 },
      { command: "GET", state: "called", connectionId: 0, sentMs: null, ahead: 1 },
    ]);
    await waiting;
    const rows = await client.settled();
    expect(rows.map(({ command, port }) => [command, port])).toEqual([
      ["GET", server.port],
      ["GET", server.port],
    ]);
    expectTimesInOrder(rows);
  });

  test("records each command of a pipeline and of a transaction", async () => {
    const redis = await connectReady();
    await redis.pipeline().set("p", "1").incr("p").exec();
    await redis.multi().incr("p").exec();
    const rows = await client.settled();
    expect(names(rows)).toEqual(["PING", "SET", "INCR", "MULTI", "INCR", "EXEC"]);
    expect(new Set(states(rows))).toEqual(new Set(["replied"]));
    expectTimesInOrder(rows);
  });

  test("records a transaction that is no pipeline, and one that is aborted", async () => {
    const redis = await connectReady();
    redis.multi({ pipeline: false });
    await redis.incr("t");
    await redis.exec();
    redis.multi({ pipeline: false });
    await redis.call("no.such.command").catch(() => undefined);
    await redis.exec().catch(() => undefined);
    const rows = (await client.settled()).slice(1);
    expect(rows.map(({ command, state }) => [command, state])).toEqual([
      ["MULTI", "replied"],
      ["INCR", "replied"],
      ["EXEC", "replied"],
      ["MULTI", "replied"],
      ["NO.SUCH.COMMAND", "failed"],
      ["EXEC", "failed"],
    ]);
    expectTimesInOrder(rows);
  });

  test("records commands that are pipelined automatically, each once", async () => {
    const redis = await connectReady({ enableAutoPipelining: true });
    await Promise.all([redis.set("auto", "1"), redis.incr("auto"), redis.get("auto")]);
    const rows = (await client.settled()).slice(1);
    expect(names(rows)).toEqual(["SET", "INCR", "GET"]);
    expect(rows.map(({ ahead }) => ahead)).toEqual([0, 1, 2]);
    expectTimesInOrder(rows);
  });

  test("records a script that the server does not know, and its second try", async () => {
    const redis = await connectReady();
    const lua = `return ${Math.random()}`;
    redis.defineCommand("once", { numberOfKeys: 0, lua });
    const { once } = redis as Redis & { once(): Promise<unknown> };
    await once.call(redis);
    await redis.script("FLUSH");
    await client.settled();
    await once.call(redis);
    // Before that, versions differ: most send a script itself at its first use on a connection.
    const rows = (await client.settled()).slice(-2);
    expect(rows.map(({ command, state }) => [command, state])).toEqual([
      ["EVALSHA", "failed"],
      ["EVAL", "replied"],
    ]);
    expectTimesInOrder(rows);
  });

  test("has no record for a command that its client refuses at once", async () => {
    const redis = connect({ port: 1, enableOfflineQueue: false, retryStrategy: () => null });
    await expect(redis.get("a")).rejects.toThrow("enableOfflineQueue");
    expect(client.records()).toEqual([]);
  });

  test("has a connection for each client, opened at its first command and closed at its end", async () => {
    const [one, two] = [await connectReady(), await connectReady()];
    expect(client.connections()).toMatchObject([
      { protocol: "redis", port: server.port, isOpen: true },
      { protocol: "redis", port: server.port, isOpen: true },
    ]);
    expect(one).not.toBe(two);
    one.disconnect();
    await until(() => client.connections().filter(({ isOpen }) => isOpen).length === 1);
  });

  test("tells error replies from others", async () => {
    const redis = await connectReady();
    await redis.set("text", "value");
    await expect(redis.hgetall("text")).rejects.toThrow("WRONGTYPE");
    await expect(redis.call("no.such.command")).rejects.toThrow("unknown command");
    const rows = await client.settled();
    expect(rows.slice(2).map(({ command, state }) => [command, state])).toEqual([
      ["HGETALL", "failed"],
      ["NO.SUCH.COMMAND", "failed"],
    ]);
  });

  test("keeps a blocking command open until its reply", async () => {
    const redis = await connectReady();
    const waiter = await connectReady();
    const waiting = waiter.blpop("list", 0);
    await until(() => client.records().some(({ state }) => state === "sent"));
    expect(client.records().filter(({ repliedMs }) => repliedMs === null)).toMatchObject([
      { command: "BLPOP", state: "sent" },
    ]);
    await redis.lpush("list", "item");
    expect(await waiting).toEqual(["list", "item"]);
    const blpop = (await client.settled()).find(({ command }) => command === "BLPOP");
    expect(blpop?.state).toBe("replied");
  });

  test("flushes what a disconnect leaves unanswered, sent or not", async () => {
    const redis = await connectReady();
    const unconnected = connect({ port: 1, retryStrategy: () => null, maxRetriesPerRequest: null });
    const lost = [redis.blpop("never", 0), redis.get("behind"), unconnected.get("offline")];
    redis.disconnect();
    const results = await Promise.allSettled(lost);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    const rows = (await client.settled()).filter(({ command }) => command !== "PING");
    expect(rows.map(({ command, state, sentMs }) => [command, state, sentMs === null])).toEqual([
      ["BLPOP", "flushed", false],
      ["GET", "flushed", false],
      ["GET", "flushed", true],
    ]);
  });

  test("settles each record once when the server dies and comes back", async () => {
    const mortal = await startRedisServer();
    const redis = await connectReady({
      port: mortal.port,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    const inFlight = redis.blpop("list", 0);
    await until(() => client.records().some(({ command }) => command === "BLPOP"));
    const [before] = client.records().filter(({ command }) => command === "BLPOP");
    await mortal.stop();
    await until(() => redis.status !== "ready");
    const offline = redis.incr("counter");
    const reborn = await startRedisServer({ port: mortal.port });
    try {
      const other = await connectReady({ port: mortal.port });
      await other.lpush("list", "item");
      expect(await inFlight).toEqual(["list", "item"]);
      expect(await offline).toBe(1);
      const rows = await client.settled();
      expect(names(rows)).toEqual(["PING", "BLPOP", "INCR", "PING", "LPUSH"]);
      expect(new Set(states(rows))).toEqual(new Set(["replied"]));
      const [, blpop, incr] = rows;
      expect(blpop?.calledMs).toBe(before?.calledMs);
      expect(blpop?.sentMs).toBeGreaterThan(before?.sentMs as number);
      expect(blpop?.connectionId).not.toBe(before?.connectionId);
      expect(incr?.connectionId).toBe(blpop?.connectionId);
    } finally {
      redis.disconnect();
      await reborn.stop();
    }
  });

  test("closes a subscription at its first reply, and records no message", async () => {
    const redis = await connectReady();
    const subscriber = await connectReady();
    const messages: string[] = [];
    subscriber.on("message", (channel, message) => messages.push(`${channel} ${message}`));
    expect(await subscriber.subscribe("one", "two")).toBe(2);
    await redis.publish("two", "hello");
    await until(() => messages.length > 0);
    const rows = (await client.settled()).filter(({ command }) => command !== "PING");
    expect(rows.map(({ command, state }) => [command, state])).toEqual([
      ["SUBSCRIBE", "replied"],
      ["PUBLISH", "replied"],
    ]);
  });

  test("keeps a command that its client gave up open until the late reply", async () => {
    const redis = await connectReady({ commandTimeout: 50 });
    const other = await connectReady();
    await expect(redis.blpop("late", 0)).rejects.toThrow("Command timed out");
    const [open] = client.records().filter(({ command }) => command === "BLPOP");
    expect(open?.state).toBe("sent");
    await other.lpush("late", "item");
    const [closed] = (await client.settled()).filter(({ command }) => command === "BLPOP");
    expect(closed?.state).toBe("replied");
  });

  test("is not recorded any more after the hooks were taken back", async () => {
    const redis = await connectReady();
    client.uninstall();
    const before = await client.settled();
    await redis.get("a");
    await connectReady();
    expect(client.records()).toEqual(before);
  });

  test("leaves promises and the keys of commands and queues as they were", async () => {
    const redis = await connectReady();
    const { Command } = client.Redis;
    const command = new Command("get", ["key"], {});
    const keys = Object.keys(new Command("get", ["key"], {}));
    const sent = redis.sendCommand(command);
    expect(sent).toBe(command.promise);
    await sent;
    expect(JSON.stringify(Object.keys(command))).not.toContain("loophound");
    expect(Object.keys(command)).toEqual(expect.arrayContaining(keys));
    const { commandQueue } = redis as unknown as { readonly commandQueue: object };
    expect(inspect(commandQueue)).not.toMatch(/push|shift|remove/);
  });
});
