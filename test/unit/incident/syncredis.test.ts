import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { loadSyncRedis, type SyncClientKind } from "../../../examples/incident/syncredis";
import { freePort } from "../../support/free-port";
import { type RedisServer, startRedisServer } from "../../support/redis-server";

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
});

afterAll(() => server.stop());

const addonIsBuilt = loadSyncRedis().kind === "addon";
// Without a compiler there is no addon, and the bootstrap says so; a pipeline has one.
const kinds: SyncClientKind[] = addonIsBuilt || process.env["CI"] ? ["addon", "koffi"] : ["koffi"];

describe.each(kinds)("the synchronous client through %s", (kind) => {
  const { redis } = loadSyncRedis(kind);
  const open = (commandMs = 5_000) => redis.connect("127.0.0.1", server.port, 2_000, commandMs);

  test("speaks with a real server, in more than ASCII", () => {
    const connection = open();
    expect(redis.rpush(connection, `list-${kind}`, "première")).toBe(1);
    expect(redis.blpop(connection, `list-${kind}`, 1)).toBe("première");
    expect(redis.get(connection, "absent")).toBeNull();
    expect(redis.ttl(connection, "absent")).toBe(-2);
    redis.close(connection);
  });

  test("gives null when no item came in time", () => {
    const connection = open();
    expect(redis.blpop(connection, "empty", 1)).toBeNull();
    redis.close(connection);
  });

  test("throws what Redis says, and goes on", () => {
    const connection = open();
    redis.rpush(connection, `a-list-${kind}`, "item");
    expect(() => redis.get(connection, `a-list-${kind}`)).toThrow(/WRONGTYPE/);
    expect(redis.ttl(connection, `a-list-${kind}`)).toBe(-1);
    redis.close(connection);
  });

  test("throws when nobody listens", async () => {
    const port = await freePort();
    expect(() => redis.connect("127.0.0.1", port, 500, 500)).toThrow(/refused|ECONNREFUSED/);
  });

  test("gives up on a reply that does not come in time, and on that connection", () => {
    const connection = open(100);
    expect(() => redis.blpop(connection, "empty", 2)).toThrow(/unavailable|EAGAIN/);
    expect(() => redis.get(connection, "key")).toThrow(/closed/);
  });

  test("throws, and lives, when the server goes away", async () => {
    const another = await startRedisServer();
    const connection = redis.connect("127.0.0.1", another.port, 500, 500);
    await another.stop();
    expect(() => redis.get(connection, "key")).toThrow(/closed the connection|lost|EPIPE|reset/i);
    expect(() => redis.get(connection, "key")).toThrow(/closed/);
  });

  test("throws on a closed connection", () => {
    const connection = open();
    redis.close(connection);
    expect(() => redis.get(connection, "key")).toThrow(/closed/);
  });

  test("refuses arguments of another type", () => {
    const connection = open();
    expect(() => redis.get(connection, 7 as unknown as string)).toThrow();
    expect(() => redis.get({} as never, "key")).toThrow();
    redis.close(connection);
  });
});
