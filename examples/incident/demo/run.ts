// One run of the demo: the API under the agent, the load on it, and what came of it.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Incident } from "../../../agent/model/incident";
import type { RedisServer } from "../../../test/support/redis-server";
import { type RunningApp, runApp } from "../../../test/support/run-app";
import type { LatencySummary } from "../latencies";
import type { SyncClientKind } from "../syncredis";
import type { LoadLine, LoadResult } from "./load";
import { startLockHolder } from "./lock-holder";
import type { Screen } from "./screen";

/** Few enough that a locked one is asked for at once, enough that most users are not locked out. */
const sessionCount = 10;
const progressEveryMs = 200;
/** A fresh process loads modules, opens connections and compiles code; that is not what the demo is about. */
const warmUpSeconds = 2;
/** The agent may gather repeats of one incident for ten seconds before it writes them. */
const foldedLinesMs = 11_000;

export interface RunSpec {
  readonly title: string;
  readonly sessions: "sync" | "async";
  readonly client: SyncClientKind | null;
  readonly seconds: number;
}

export interface RunResult {
  readonly client: SyncClientKind | null;
  /** Of the time under load, closed, each once. */
  readonly incidents: readonly Incident[];
  readonly expire: LatencySummary;
  readonly load: LoadResult;
  /** What the API and the agent printed to stderr. */
  readonly stderr: string;
}

/** Calls `onIncident` for each incident as soon as the log has it. Leaves no process behind. */
export async function run(
  spec: RunSpec,
  redis: RedisServer,
  screen: Screen,
  onIncident: (incident: Incident) => void,
): Promise<RunResult> {
  const app = startApi(spec, redis.port);
  try {
    const port = Number((await app.waitForOutput(/listening on (\d+)/))[1]);
    screen.block(`  ${app.stdout().split("\n")[0]}`);
    for (let id = 0; id < sessionCount; id += 1) await request(port, "POST", `/login/${id}`);
    await driveLoad(port, warmUpSeconds, () => undefined);
    const log = followLog(app, Date.now(), onIncident);
    const load = await underLocks(redis.port, () => {
      const startedMs = performance.now();
      return driveLoad(port, spec.seconds, (requests) => {
        const elapsedSeconds = (performance.now() - startedMs) / 1_000;
        const { title, seconds: totalSeconds } = spec;
        const incidents = log().length;
        screen.progress({ title, elapsedSeconds, totalSeconds, requests, incidents });
      });
    });
    const expire = (await request(port, "GET", "/stats")) as { expire: LatencySummary };
    // An agent that ends with the API writes what it has gathered; one that is asked waits for no timer.
    app.kill("SIGTERM");
    await Promise.race([app.exited, sleep(foldedLinesMs)]);
    return {
      client: /libc through koffi/.test(app.stdout()) ? "koffi" : "addon",
      incidents: log().filter(({ state }) => state === "closed"),
      expire: expire.expire,
      load,
      stderr: app.stderr(),
    };
  } finally {
    screen.clear();
    await app.stop();
  }
}

function startApi(spec: RunSpec, redisPort: number): RunningApp {
  return runApp({
    script: join(__dirname, "..", "api.js"),
    env: {
      PORT: "0",
      REDIS_PORT: String(redisPort),
      SESSIONS: spec.sessions,
      ...(spec.client === null ? {} : { SYNC_CLIENT: spec.client }),
    },
  });
}

/** Gives the incidents since `sinceEpochMs`, and reports those that it had not seen before. */
function followLog(
  app: RunningApp,
  sinceEpochMs: number,
  onIncident: (incident: Incident) => void,
): () => readonly Incident[] {
  let seen = 0;
  const isRecent = ({ stall, startedAt }: Incident) =>
    (stall?.startEpochMs ?? Date.parse(startedAt)) >= sinceEpochMs;
  return () => {
    const incidents = app.incidents().filter(isRecent);
    for (const incident of incidents.slice(seen)) onIncident(incident);
    seen = incidents.length;
    return incidents;
  };
}

/** Runs `work` while another program locks one session after another. */
async function underLocks<T>(redisPort: number, work: () => Promise<T>): Promise<T> {
  const holder = startLockHolder(redisPort, sessionCount);
  try {
    return await work();
  } finally {
    await holder.stop();
  }
}

/** Sends traffic for some seconds; says a few times a second how many answers there were. */
async function driveLoad(
  port: number,
  seconds: number,
  onProgress: (requests: number) => void,
): Promise<LoadResult> {
  const args = [join(__dirname, "load.js"), String(port), String(seconds), String(sessionCount)];
  const child = spawn(execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: plainEnvironment(),
  });
  const endWithUs = () => void child.kill();
  process.once("exit", endWithUs);
  let requests = 0;
  const timer = setInterval(() => onProgress(requests), progressEveryMs);
  try {
    return await resultOf(child, (count) => {
      requests = count;
    });
  } finally {
    clearInterval(timer);
    process.off("exit", endWithUs);
    child.kill();
  }
}

async function resultOf(child: ChildProcess, onCount: (n: number) => void): Promise<LoadResult> {
  if (child.stdout === null) throw new Error("the load has no standard output");
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as LoadLine;
    if ("result" in line) return line.result;
    onCount(line.requests);
  }
  throw new Error("the load ended without a result");
}

/** Only the API runs under the agent. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return rest;
}

async function request(port: number, method: "GET" | "POST", path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  if (!response.ok)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
