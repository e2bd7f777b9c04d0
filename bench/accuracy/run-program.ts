// Runs one labelled program under an agent, and reads both what it says of itself and what the agent found.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env as ownEnv } from "node:process";
import type { RedisServer } from "../../test/support/redis-server";
import type { AgentReader } from "./finding";
import type { Program } from "./programs";
import type { Result } from "./score";
import { parseTruth, type Truth } from "./truth";

/** Far more than the longest program takes. */
const timeoutMs = 90_000;

export interface Agent {
  /** The module that is given to node's --require. */
  readonly preload: string;
  readonly reader: AgentReader;
}

export interface NodeUnderTest {
  readonly binary: string;
  readonly version: string;
  readonly major: number;
}

/** This file runs as dist/bench/accuracy/run-program.js. */
const state = join(__dirname, "../../../.loophound/accuracy");
const syncredis = join(__dirname, "../../../examples/incident/build/syncredis.node");

/** Resolves when the program has ended. A program that dies or hangs gives a truth that says so. */
export async function runProgram(
  program: Program,
  node: NodeUnderTest,
  agent: Agent,
  redis: RedisServer | null,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "accuracy-run-"));
  const truthFile = join(folder, "truth.ndjson");
  const outputFile = join(folder, "findings");
  const env = {
    ...withoutSettings(),
    ...agent.reader.environment(outputFile),
    ACCURACY_TRUTH: truthFile,
    ACCURACY_PACKAGES: join(state, `n${node.major}`),
    ACCURACY_ADDONS: join(state, "addons"),
    ACCURACY_SYNCREDIS: syncredis,
    ...(redis === null
      ? {}
      : { ACCURACY_REDIS_PORT: String(redis.port), ACCURACY_REDIS_PID: String(redis.pid) }),
  };
  const complaint = await run(node.binary, ["--require", agent.preload, program.path], env);
  const truth = readTruth(truthFile, complaint);
  const output = existsSync(outputFile) ? readFileSync(outputFile, "utf8") : "";
  const findings = agent.reader.read(output);
  rmSync(folder, { recursive: true });
  return { program: program.name, node: node.version, truth, findings, output };
}

function withoutSettings(): Record<string, string | undefined> {
  const kept = Object.entries(ownEnv).filter(
    ([name]) => !/^(?:LOOPHOUND_|ACCURACY_|NODE_OPTIONS$)/.test(name),
  );
  return Object.fromEntries(kept);
}

/** Resolves with null, or with how it ended other than well. */
function run(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<string | null> {
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (data) => {
    stderr = `${stderr}${data}`.slice(-2_000);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // Not "close": a helper of the program's may hold its pipe a little longer.
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      child.stderr.destroy();
      resolve(code === 0 ? null : `it ended with ${signal ?? code}: ${stderr}`);
    });
  });
}

function readTruth(file: string, complaint: string | null): readonly Truth[] {
  const truth = existsSync(file) ? parseTruth(readFileSync(file, "utf8")) : [];
  return complaint === null ? truth : [...truth, { kind: "failed", why: complaint }];
}
