// The real node-redis against a private, real redis-server: what the ledger says of its commands.

import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { expectTimesInOrder, type Row, until } from "../support/hooked-client";
import {
  type Client,
  type ClientOptions,
  endAtOnce,
  type HookedNodeRedis,
  loadHookedNodeRedis,
  majorOf,
  nodeRedisLibraries,
} from "../support/hooked-node-redis";
import { type RedisServer, startRedisServer } from "../support/redis-server";

const names = (rows: readonly Row[]): readonly string[] => rows.map(({ command }) => command);
const namesAndStates = (rows: readonly Row[]) => rows.map(({ command, state }) => [command, state]);

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer({ config: ["unixsocket redis.sock"] });
});
afterAll(() => server.stop());

describe.each(nodeRedisLibraries)("%s", (library) => {
  const major = majorOf(library);
  let hooked: HookedNodeRedis;
  const clients: Client[] = [];
  beforeEach(() => {
    hooked = loadHookedNodeRedis(library);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await endAtOnce(client).catch(() => undefined);
    hooked.uninstall();
  });
  const keep = (client: Client): Client => {
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  };
  const make = (options: Partial<ClientOptions> = {}): Client =>
    keep(
      hooked.redis.createClient({ socket: { host: server.host, port: server.port }, ...options }),
    );
  const connect = async (options: Partial<ClientOptions> = {}): Promise<Client> => {
    const client = make(options);
    await client.connect();
    return client;
  };

  test("is hooked under the name that its users know", () => {
    expect(hooked.hooked).toEqual(["node-redis"]);
  });

  test("has one record a command, with its name, its server and its times in order", async () => {
    const client = await connect();
    await client.set("key", "value");
    expect(await client.get("key")).toBe("value");
    await client.expire("key", 100);
    await client.sendCommand(["TTL", "key"]);
    const rows = await hooked.settled();
    expect(namesAndStates(rows)).toEqual([
      ["SET", "replied"],
      ["GET", "replied"],
      ["EXPIRE", "replied"],
      ["TTL", "replied"],
    ]);
    expect(new Set(rows.map(({ port }) => port))).toEqual(new Set([server.port]));
    expectTimesInOrder(rows);
  });

  test("counts what is unanswered before a command on its connection", async () => {
    const client = await connect();
    const first = client.get("a");
    const both = Promise.all([client.get("b"), client.get("c")]);
    await new Promise(setImmediate); // Now they are written, and none is answered.
    const last = client.get("d");
    await Promise.all([first, both, last]);
    expect((await hooked.settled()).map(({ ahead }) => ahead)).toEqual([0, 1, 2, 3]);
  });

  test("notes commands that wait for the connection when they are called", async () => {
    const client = make();
    const connected = client.connect();
    const waiting = Promise.all([client.get("a"), client.get("b")]);
    expect(hooked.records()).toMatchObject([
      { command: "GET", state: "called", connectionId: 0, sentMs: null, ahead: 0 },
      { command: "GET", state: "called", connectionId: 0, sentMs: null, ahead: 1 },
    ]);
    await Promise.all([connected, waiting]);
    const rows = await hooked.settled();
    expect(rows.map(({ command, port }) => [command, port])).toEqual([
      ["GET", server.port],
      ["GET", server.port],
    ]);
    expectTimesInOrder(rows);
  });

  test("has a command sent when the bytes can leave, which is when the loop turns", async () => {
    const client = await connect();
    const reply = client.get("a");
    expect(hooked.records()).toMatchObject([{ command: "GET", state: "called", sentMs: null }]);
    await new Promise(setImmediate);
    expect(hooked.records()).toMatchObject([{ command: "GET", state: "sent" }]);
    await reply;
  });

  test("records each command of a pipeline and of a transaction", async () => {
    const client = await connect();
    await client.multi().set("p", "1").incr("p").execAsPipeline();
    await client.multi().incr("p").exec();
    const rows = await hooked.settled();
    expect(names(rows)).toEqual(["SET", "INCR", "MULTI", "INCR", "EXEC"]);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["replied"]));
    expectTimesInOrder(rows);
  });

  test("tells error replies from others, and an error inside a reply from one that is the reply", async () => {
    const client = await connect();
    await client.set("text", "value");
    await expect(client.hGetAll("text")).rejects.toThrow("WRONGTYPE");
    await client
      .multi()
      .hGetAll("text")
      .exec()
      .catch(() => undefined);
    expect(await client.get("text")).toBe("value");
    expect(namesAndStates(await hooked.settled())).toEqual([
      ["SET", "replied"],
      ["HGETALL", "failed"],
      ["MULTI", "replied"],
      ["HGETALL", "replied"],
      ["EXEC", "replied"],
      ["GET", "replied"],
    ]);
  });

  test("has a record for a command that cannot be encoded, and never one that stays open", async () => {
    const client = await connect();
    await expect(client.sendCommand(["SET", {}])).rejects.toThrow(TypeError);
    await client.get("a");
    expect((await hooked.settled()).map(({ command, state }) => [command, state])).toEqual([
      ["SET", "flushed"],
      ["GET", "replied"],
    ]);
  });

  test("keeps a blocking command on its own connection open until its reply", async () => {
    const client = await connect();
    const waiter = keep(client.duplicate());
    await waiter.connect();
    const waiting = waiter.blPop("list", 0);
    await until(() => hooked.records().some(({ state }) => state === "sent"));
    expect(hooked.records()).toMatchObject([{ command: "BLPOP", repliedMs: null }]);
    await client.lPush("list", "item");
    expect(await waiting).toMatchObject({ key: "list", element: "item" });
    const [blpop, lpush] = await hooked.settled();
    expect(blpop).toMatchObject({ command: "BLPOP", state: "replied", ahead: 0 });
    expect(blpop?.askedMs).toBe(Number.POSITIVE_INFINITY);
    expect(lpush?.connectionId).not.toBe(blpop?.connectionId);
  });

  test.each(major < 6 ? [2] : ([2, 3] as const))(
    "closes a subscription at its reply, and records no message (RESP%i)",
    async (RESP) => {
      const client = await connect(major === 4 ? {} : { RESP: RESP as 2 | 3 });
      const subscriber = keep(client.duplicate());
      await subscriber.connect();
      const messages: string[] = [];
      await subscriber.subscribe(["one", "two"], (message) => messages.push(message));
      await client.publish("two", "hello");
      await until(() => messages.length > 0);
      await subscriber.unsubscribe();
      const rows = await hooked.settled();
      expect(namesAndStates(rows)).toEqual([
        ["SUBSCRIBE", "replied"],
        ["PUBLISH", "replied"],
        ["UNSUBSCRIBE", "replied"],
      ]);
      expectTimesInOrder(rows);
    },
  );

  test("records a script that the server does not know, and its second try", async () => {
    const script = {
      NUMBER_OF_KEYS: 0,
      SCRIPT: `return ${Math.random()}`,
      transformArguments: () => [],
      parseCommand: () => undefined,
      transformReply: undefined,
    };
    const scripts = { once: hooked.redis.defineScript(script) };
    const client = (await connect({ scripts })) as Client & { once(): Promise<unknown> };
    await client.once();
    expect(namesAndStates(await hooked.settled())).toEqual([
      ["EVALSHA", "failed"],
      ["EVAL", "replied"],
    ]);
  });

  test("flushes a command that is aborted before it was written", async () => {
    const client = make();
    const connected = client.connect();
    const { signal, abort } = abortable();
    const aborted =
      major === 4
        ? client.get(hooked.redis.commandOptions({ signal }), "a")
        : client.withAbortSignal?.(signal).get("a");
    abort();
    await expect(aborted).rejects.toThrow();
    await connected;
    await client.get("b");
    expect(namesAndStates(await hooked.settled())).toEqual([
      ["GET", "flushed"],
      ["GET", "replied"],
    ]);
  });

  test("has one record for a reply that comes in many pieces", async () => {
    const client = await connect();
    const value = "x".repeat(5_000_000);
    await client.set("big", value);
    expect(await client.get("big")).toHaveLength(value.length);
    expect(names(await hooked.settled())).toEqual(["SET", "GET"]);
  });

  test("is not recorded any more after the hooks were taken back", async () => {
    const client = await connect();
    await client.get("a");
    hooked.uninstall();
    const before = await hooked.settled();
    await client.get("a");
    await (await connect()).get("b");
    expect(hooked.records()).toEqual(before);
  });

  test("has a connection for each client, opened at its first command and closed at its end", async () => {
    const [one, two] = [await connect(), await connect()];
    await Promise.all([one.get("a"), two.get("a")]);
    expect(hooked.connections()).toMatchObject([
      { client: "node-redis", protocol: "redis", port: server.port, isOpen: true },
      { client: "node-redis", protocol: "redis", port: server.port, isOpen: true },
    ]);
    expect(new Set(hooked.connections().map(({ localPort }) => localPort)).size).toBe(2);
    await endAtOnce(one);
    await until(() => hooked.connections().filter(({ isOpen }) => isOpen).length === 1);
  });

  test("has no address for a server behind a Unix socket", async () => {
    const client = keep(
      hooked.redis.createClient({ socket: { path: join(server.directory, "redis.sock") } }),
    );
    await client.connect();
    await client.get("a");
    expect(namesAndStates(await hooked.settled())).toEqual([["GET", "replied"]]);
    expect(hooked.connections()).toMatchObject([{ host: null, port: null, isOpen: true }]);
  });

  if (major > 4) {
    test("counts what a command waits for a client of its pool as time in its queue", async () => {
      const socket = { host: server.host, port: server.port };
      const pool = hooked.redis.createClientPool({ socket }, { maximum: 1 });
      pool.on("error", () => undefined);
      await pool.connect();
      try {
        const client = await connect();
        const blocking = pool.blPop("busy", 0);
        const waiting = pool.get("a");
        await until(() => hooked.records().some(({ state }) => state === "sent"));
        await client.lPush("busy", "item");
        await Promise.all([blocking, waiting]);
        await client.get("b");
        const [blpop, lpush, get, other] = await hooked.settled();
        expect([blpop, lpush, get, other].map((row) => row?.command)).toEqual([
          "BLPOP",
          "LPUSH",
          "GET",
          "GET",
        ]);
        expect(get?.calledMs).toBeLessThan(lpush?.calledMs as number);
        expect(get?.sentMs).toBeGreaterThanOrEqual(blpop?.repliedMs as number);
        expect(other?.calledMs).toBeGreaterThanOrEqual(get?.repliedMs as number);
        expectTimesInOrder(await hooked.settled());
      } finally {
        pool.destroy();
      }
    });
  } else {
    test("records what an isolated client does on its own connection", async () => {
      const client = await connect();
      const waiting = client.executeIsolated?.((isolated) => isolated.blPop("isolated", 0));
      await until(() => hooked.records().some(({ state }) => state === "sent"));
      await client.lPush("isolated", "item");
      await waiting;
      const [blpop, lpush] = await hooked.settled();
      expect([blpop?.command, lpush?.command]).toEqual(["BLPOP", "LPUSH"]);
      expect(blpop?.connectionId).not.toBe(lpush?.connectionId);
    });
  }
});
