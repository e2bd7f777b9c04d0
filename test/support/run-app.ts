// A real node process, with the agent or without: what it prints, how it ends, and the incidents that the
// agent writes while it runs.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, env as ownEnv } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Incident } from "../../agent/model/incident";
import { type IncidentLog, openIncidentLog } from "./incident-log";

export type Environment = Readonly<Record<string, string>>;

export interface AppOptions {
  /** The compiled script. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Added to our own environment, from which NODE_OPTIONS and LOOPHOUND_* were taken out. */
  readonly env?: Environment;
  /** True (the default): under the compiled agent. A path: under that preload instead. False: without. */
  readonly agent?: boolean | string;
  /** Arguments of node itself, before the script. */
  readonly nodeArgs?: readonly string[];
  /** Another node binary; see node-versions.ts. */
  readonly nodeBinary?: string;
  readonly cwd?: string;
  /** A command that ends in running the one after it in its own place (setpriv, sh with exec "$@"). */
  readonly through?: readonly string[];
}

export interface AppExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningApp {
  readonly pid: number;
  readonly exited: Promise<AppExit>;
  /** All that was printed until now. */
  stdout(): string;
  stderr(): string;
  /** All lines of the incident log until now; throws when one of them breaks the contract. */
  incidents(): readonly Incident[];
  /** The first incident, written before or after the call, that fits; rejects when none came in time. */
  waitForIncident(fits: (incident: Incident) => boolean, timeoutMs?: number): Promise<Incident>;
  /** The first match in stdout or stderr; rejects when it did not come in time or the process ended. */
  waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  kill(signal: NodeJS.Signals): void;
  /** Kills it if it still runs, and removes its log; resolves when it is gone. */
  stop(): Promise<AppExit>;
}

/** Safety rails: no test asserts them. */
const waitMs = 20_000;
const pollEveryMs = 10;
const outputShownChars = 2_000;

/** This file runs as dist/test/support/run-app.js. */
export const agentEntry = join(__dirname, "../../agent/register.js");

/** Not under Jest, which gives tests a `process` without an end; there, a test stops what it started. */
const running = new Map<ChildProcess, string>();
process.once("exit", () => {
  for (const [child, directory] of running) {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Starts the process and returns at once. Whoever starts an app stops it. */
export function runApp(options: AppOptions): RunningApp {
  const directory = mkdtempSync(join(tmpdir(), "loophound-app-"));
  // Whoever the application runs as writes its log there.
  chmodSync(directory, 0o777);
  const logFile = join(directory, "incidents.ndjson");
  const preload = options.agent === false ? [] : ["--require", preloadOf(options.agent)];
  const [command = "", ...args] = [
    ...(options.through ?? []),
    options.nodeBinary ?? execPath,
    ...[...preload, ...(options.nodeArgs ?? []), options.script, ...(options.args ?? [])],
  ];
  const child = spawn(command, args, {
    env: { ...environmentFor(logFile), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return watch(child, openIncidentLog(options.env?.["LOOPHOUND_LOG"] ?? logFile), directory);
}

const preloadOf = (agent: true | string | undefined) =>
  typeof agent === "string" ? agent : agentEntry;

/** Applications here are compiled: tests look for lines in what runs, unless they are about source maps. */
const generatedLines = { LOOPHOUND_SOURCE_MAPS: "off" };

/** A tester's own settings must not reach the process under test. */
function environmentFor(logFile: string): Record<string, string | undefined> {
  const inherited = Object.entries(ownEnv).filter(
    ([name]) => !name.startsWith("LOOPHOUND_") && name !== "NODE_OPTIONS",
  );
  return {
    ...Object.fromEntries(inherited),
    LOOPHOUND_LOG: logFile,
    LOOPHOUND_PORT: "0",
    ...generatedLines,
  };
}

function watch(child: ChildProcess, log: IncidentLog, directory: string): RunningApp {
  const printed = { stdout: collect(child, "stdout"), stderr: collect(child, "stderr") };
  let exit: AppExit | null = null;
  running.set(child, directory);
  const exited = new Promise<AppExit>((resolve, reject) => {
    child.once("error", reject);
    // "close" comes after the last output, "exit" may come before it.
    child.once("close", (code, signal) => {
      running.delete(child);
      exit = { code, signal };
      resolve(exit);
    });
  });
  exited.catch(() => undefined); // Whoever awaits it learns of the failure; nobody has to.
  const both = () => printed.stdout() + printed.stderr();
  const explain = (what: string) =>
    new Error(`${what}\nexit: ${JSON.stringify(exit)}\noutput: ${both().slice(-outputShownChars)}`);

  async function waitFor<T>(look: () => T | null, what: string, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    let isOver = false;
    while (!isOver) {
      // Asked before looking: what an ended process left behind is looked at once more.
      isOver = exit !== null || performance.now() > deadline;
      const found = look();
      if (found !== null) return found;
      await sleep(pollEveryMs);
    }
    throw explain(exit === null ? `${what} in ${timeoutMs} ms` : `${what} until it ended`);
  }

  return {
    pid: child.pid ?? -1,
    exited,
    ...printed,
    incidents: log.read,
    waitForIncident: (fits, timeoutMs = waitMs) =>
      waitFor(() => log.read().find(fits) ?? null, "no such incident", timeoutMs),
    waitForOutput: (pattern, timeoutMs = waitMs) =>
      waitFor(() => both().match(pattern), `no output like ${pattern}`, timeoutMs),
    kill: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill("SIGKILL");
      const result = await exited;
      rmSync(directory, { recursive: true, force: true });
      return result;
    },
  };
}

function collect(child: ChildProcess, name: "stdout" | "stderr"): () => string {
  let text = "";
  child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
