import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { freePort } from "../../support/free-port";
import { type RedisServer, startRedisServer } from "../../support/redis-server";

const run = promisify(execFile);
const started: RedisServer[] = [];

async function start(...args: Parameters<typeof startRedisServer>): Promise<RedisServer> {
  const server = await startRedisServer(...args);
  started.push(server);
  return server;
}

afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

/** Runs `ask` on a connection of its own. */
async function withClient<T>(port: number, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host: "127.0.0.1" });
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("startRedisServer", () => {
  test("gives a real server whose process id is the one it says", async () => {
    const server = await start();
    const info = await withClient(server.port, (redis) => redis.info("server"));
    expect(info).toContain(`process_id:${server.pid}`);
  });

  test("gives two servers that know nothing of each other", async () => {
    const [one, other] = [await start(), await start()];
    await withClient(one.port, (redis) => redis.set("key", "value"));
    expect(await withClient(one.port, (redis) => redis.get("key"))).toBe("value");
    expect(await withClient(other.port, (redis) => redis.get("key"))).toBeNull();
  });

  test("obeys lines of configuration", async () => {
    const server = await start({ config: ["maxmemory 12345678"] });
    const [, value] = (await withClient(server.port, (redis) =>
      redis.config("GET", "maxmemory"),
    )) as string[];
    expect(value).toBe("12345678");
  });

  test("takes a demand for a password for an answer", async () => {
    const server = await start({ config: ["requirepass secret"] });
    expect(isAlive(server.pid)).toBe(true);
  });

  test("ends the server and removes its folder, and can be told so twice", async () => {
    const server = await start();
    await server.stop();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    expect(existsSync(server.directory)).toBe(false);
  });

  test("comes back on the same port when asked to", async () => {
    const port = await freePort();
    await (await start({ port })).stop();
    expect((await start({ port })).port).toBe(port);
  });

  test("does not outlive a process that is killed outright", async () => {
    const support = join(__dirname, "../../support/redis-server.js");
    const script = `require(${JSON.stringify(support)}).startRedisServer().then((server) => {
      process.stdout.write(String(server.pid), () => process.kill(process.pid, "SIGKILL"));
    })`;
    const ended = await run(process.execPath, ["-e", script]).catch((error: unknown) => error);
    const pid = Number((ended as { stdout: string }).stdout);
    expect(pid).toBeGreaterThan(0);
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test("rejects with the server's own words when the configuration is wrong", async () => {
    await expect(startRedisServer({ config: ["no-such-directive 1"] })).rejects.toThrow(
      /no-such-directive/,
    );
  });

  test("rejects when there is no such program", async () => {
    await expect(startRedisServer({ binary: "/no/such/redis-server" })).rejects.toThrow(
      /status 127.*not found/s,
    );
  });

  test("rejects when somebody else listens on the port, also one that answers like Redis", async () => {
    const stranger = await pretender();
    const { port } = stranger.address() as { port: number };
    try {
      await expect(startRedisServer({ port })).rejects.toThrow(/Address already in use/);
    } finally {
      stranger.close();
    }
  });
});

function pretender(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    // Late enough for the real server to have given up on the port.
    setTimeout(() => socket.end("+PONG\r\n"), 200);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
