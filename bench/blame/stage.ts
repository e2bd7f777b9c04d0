// Where a scenario is played: a private Redis, a path to it, the application under the agent, and what can
// be done to them from outside. Every length that it returns was measured.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { execPath, kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { appPath, startWatched, type WatchedApp } from "../../test/e2e/support/watched-app";
import { freePort } from "../../test/support/free-port";
import { type RedisServer, startRedisServer } from "../../test/support/redis-server";
import type { Environment } from "../../test/support/run-app";
import type { Scenario } from "./scenarios";

export interface Stage {
  readonly watched: WatchedApp;
  pass(lengthMs: number): Promise<void>;
  /** A byte to the application: see redis-traffic. */
  tell(byte: string): void;
  stopServer(lengthMs: number): Promise<number>;
  /** A command on a connection of the stage's own. */
  ask(command: string, ...args: readonly string[]): Promise<number>;
  pauseClients(lengthMs: number): Promise<number>;
  lengthenPath(delayMs: number): Promise<number>;
  behindBlpop(lengthMs: number): Promise<number>;
  whileReconnecting(lengthMs: number): Promise<number>;
  blockLoop(lengthMs: number): Promise<number>;
  end(): Promise<void>;
}

/** The agent is up, and knows what is usual. */
const warmUpMs = 2500;
const delayedMs = 1200;
const fixture = join(__dirname, "../../../test/fixtures/tls");

export async function openStage(scenario: Scenario): Promise<Stage> {
  const { way = "tcp", env = {} } = scenario;
  const port = await freePort();
  const redis = await startRedisServer({ config: configFor(way, port) });
  const proxy = way === "proxy" ? await startProxy(port, redis.port) : null;
  const control = new Redis({ port: redis.port, ...(way === "password" ? { password: "p" } : {}) });
  const watched = await startWatched(appPath("redis-traffic.js"), {
    env: { ...addressFor(way, redis, port), ...env },
  });
  await sleep(warmUpMs);
  return {
    ...acts(redis, control, watched, proxy),
    watched,
    pass: (lengthMs) => sleep(lengthMs),
    async end() {
      await watched.stop();
      control.disconnect();
      proxy?.kill("SIGKILL");
      await redis.stop();
    },
  };
}

function acts(
  redis: RedisServer,
  control: Redis,
  watched: WatchedApp,
  proxy: ChildProcess | null,
): Omit<Stage, "watched" | "pass" | "end"> {
  const tell = (byte: string): void => watched.go.letGo(byte);
  const ask: Stage["ask"] = async (command, ...args) => {
    const startMs = performance.now();
    await control.call(command, ...args);
    return performance.now() - startMs;
  };
  /** The application begins to wait at once; what it waits for comes when the time is over. */
  async function push(byte: string, list: string, lengthMs: number): Promise<number> {
    const startMs = performance.now();
    tell(byte);
    await sleep(lengthMs);
    await control.rpush(list, "x");
    return performance.now() - startMs;
  }
  return {
    tell,
    ask,
    async stopServer(lengthMs) {
      const startMs = performance.now();
      kill(redis.pid, "SIGSTOP");
      await sleep(lengthMs);
      kill(redis.pid, "SIGCONT");
      return performance.now() - startMs;
    },
    async pauseClients(lengthMs) {
      const startMs = performance.now();
      await control.call("CLIENT", "PAUSE", String(lengthMs), "ALL");
      await control.ping();
      return performance.now() - startMs;
    },
    async lengthenPath(delayMs) {
      proxy?.stdin?.write(`${delayMs}\n`);
      await sleep(delayedMs + 2 * delayMs);
      return delayMs;
    },
    behindBlpop: (lengthMs) => push("p", "queue", lengthMs),
    blockLoop: (lengthMs) => push("b", "lock", lengthMs),
    async whileReconnecting(lengthMs) {
      tell("o");
      await watched.app.waitForOutput(/prolonged/);
      return lengthMs;
    },
  };
}

function configFor(way: Scenario["way"], tlsPort: number): readonly string[] {
  const common = ["enable-debug-command yes"];
  if (way === "unix") return [...common, "unixsocket redis.sock"];
  if (way === "password") return [...common, "requirepass p"];
  if (way !== "tls") return common;
  const [cert, key] = [join(fixture, "cert.pem"), join(fixture, "key.pem")];
  return [
    ...common,
    `tls-port ${tlsPort}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    `tls-ca-cert-file ${cert}`,
  ];
}

function addressFor(way: Scenario["way"], redis: RedisServer, port: number): Environment {
  const direct = { REDIS_PORT: String(redis.port) };
  if (way === "unix") return { ...direct, REDIS_PATH: join(redis.directory, "redis.sock") };
  if (way === "password") return { ...direct, REDIS_PASSWORD: "p" };
  if (way === "proxy") return { REDIS_PORT: String(port) };
  if (way !== "tls") return direct;
  const [cert, key] = [join(fixture, "cert.pem"), join(fixture, "key.pem")];
  return { REDIS_PORT: String(port), REDIS_TLS: cert, REDIS_TLS_KEY: key };
}

async function startProxy(listenPort: number, targetPort: number): Promise<ChildProcess> {
  const args = [appPath("delaying-proxy.js"), String(listenPort), String(targetPort)];
  const proxy = spawn(execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(proxy.stdout, "data");
  return proxy;
}
