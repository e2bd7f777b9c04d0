// A private, real redis-server: own folder, own free port on 127.0.0.1, nothing written to disk but its
// log. Never a server that was already there. For tests, benchmarks and the demo.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./free-port";
import { type GuardedProcess, startGuarded } from "./guarded-process";

/** A port can be taken between asking for it and using it; three times in a row is something else. */
const startAttemptsMax = 3;
/** A redis-server without data answers in milliseconds; this is for machines that are very busy. */
const readyTimeoutMs = 20_000;
const pingEveryMs = 25;
const logTailChars = 600;

export interface RedisServerOptions {
  /** Lines of redis.conf that are added after, and so override, our own. */
  readonly config?: readonly string[];
  /** Listen here instead of on a free port: to come back where an earlier server was. */
  readonly port?: number;
  /** Runs it as a sentinel, which has no data and a configuration of its own. */
  readonly isSentinel?: boolean;
  /** The binary; by default `findRedisServer()`. */
  readonly binary?: string;
}

export interface RedisServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly pid: number;
  /** Its own temporary folder, removed by `stop()`. */
  readonly directory: string;
  /** Ends this server, by its process id, and removes its folder. Harmless when called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a redis-server and resolves when it answers PING (a demand for a password counts).
 * Rejects with the end of the server's log when it does not start.
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = options.binary ?? findRedisServer();
  if (binary === null) {
    throw new Error("no redis-server found: set REDIS_SERVER_PATH to one, or run `npm run build`");
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(binary, options.port ?? (await freePort()), options);
    } catch (error) {
      const portTaken = String(error).includes("Address already in use");
      if (options.port !== undefined || !portTaken || attempt === startAttemptsMax) throw error;
    }
  }
}

/** REDIS_SERVER_PATH, else the one that scripts/bootstrap.cjs found, else the PATH; null without any. */
export function findRedisServer(): string | null {
  const named = process.env["REDIS_SERVER_PATH"];
  if (named !== undefined && named !== "") return named;
  const onPath = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "redis-server"));
  const candidates = [join(repositoryRoot, ".loophound", "bin", "redis-server"), ...onPath];
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** This file runs as dist/test/support/redis-server.js. */
const repositoryRoot = join(__dirname, "..", "..", "..");

async function startOnce(
  binary: string,
  port: number,
  { config = [], isSentinel = false }: RedisServerOptions,
): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "loophound-redis-"));
  const configFile = join(directory, "redis.conf");
  const logFile = join(directory, "redis.log");
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `dir ${directory}`,
    `logfile ${logFile}`,
    "daemonize no",
    ...(isSentinel ? [] : ['save ""', "appendonly no"]),
    ...config,
  ];
  writeFileSync(configFile, `${lines.join("\n")}\n`);
  const args = isSentinel ? [configFile, "--sentinel"] : [configFile];
  const server = await startGuarded(binary, args, directory, logFile);
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  process.once("exit", removeDirectory);
  const stop = async () => {
    await server.stop();
    process.off("exit", removeDirectory);
    removeDirectory();
  };
  try {
    await untilItAnswers(server, port);
  } catch (error) {
    const why = `${binary} did not start: ${(error as Error).message}; ${logTail(logFile)}`;
    await stop();
    throw new Error(why);
  }
  return { host: "127.0.0.1", port, pid: server.pid, directory, stop };
}

async function untilItAnswers(server: GuardedProcess, port: number): Promise<void> {
  let exitStatus: number | null = null;
  server.exited.then(
    (status) => {
      exitStatus = status;
    },
    () => undefined,
  );
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    const reply = await ping(port);
    // Looked at after the PING: a stranger on the same port must not pass for a server that has ended.
    if (exitStatus !== null) throw new Error(`it ended with status ${exitStatus}`);
    if (reply.startsWith("+PONG") || reply.startsWith("-NOAUTH")) return;
    await new Promise((resolve) => setTimeout(resolve, pingEveryMs));
  }
  throw new Error(`no answer to PING in ${readyTimeoutMs / 1000} s`);
}

/** The reply to PING, or "" when nobody answered. */
function ping(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
    const finish = (reply: string) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(1_000, () => finish(""));
    socket.once("data", (data) => finish(data.toString("latin1")));
    socket.once("error", () => finish(""));
    socket.once("close", () => finish(""));
  });
}

function logTail(logFile: string): string {
  try {
    return `its log ends with: ${readFileSync(logFile, "utf8").slice(-logTailChars).trim()}`;
  } catch {
    return "it wrote no log";
  }
}
