// Places to write to that fail, fill up or have nobody at their other end: none may cost the application
// its end, or its exit code.

import { execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, env as ownEnv } from "node:process";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { agentEntry, type Environment, runApp } from "../support/run-app";
import { createGate, type Gate } from "./support/gate";
import { appPath } from "./support/watched-app";

const script = appPath("many-stalls.js");
const said = "blocked 6 times\n";

let folder = "";
let gate: Gate;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-hazards-"));
  gate = createGate();
});
afterEach(() => {
  gate.remove();
  rmSync(folder, { recursive: true });
});

async function run(env: Environment) {
  const app = runApp({ script, env: { LOOPHOUND_START_DELAY_MS: "0", ...env } });
  const exit = await app.exited;
  const stderr = app.stderr();
  const stdout = app.stdout();
  await app.stop();
  return { stdout, ...exit, stderr };
}

const complaints = (stderr: string): readonly string[] =>
  stderr.split("\n").filter((line) => line.includes("LOOPHOUND_LOG"));

test("all stalls up to process.exit stand in the log, one by one or folded", async () => {
  const log = join(folder, "incidents.ndjson");
  const { stdout, code } = await run({ LOOPHOUND_LOG: log });
  expect([stdout, code]).toEqual([said, 5]);
  const incidents = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { cause: string; repeats: number });
  // A machine that is busy may hold the loop once more, and may leave a short stall without a cause.
  expect(incidents.reduce((sum, { repeats }) => sum + repeats, 0)).toBeGreaterThanOrEqual(6);
  expect(incidents.some(({ cause }) => cause === "sync-core-api")).toBe(true);
  expect(incidents.length).toBeLessThan(6);
});

test("a log in a folder that is not there is complained of once, and the application ends as ever", async () => {
  const log = join(folder, "missing", "incidents.ndjson");
  const { stdout, code, stderr } = await run({ LOOPHOUND_LOG: log });
  expect([stdout, code]).toEqual([said, 5]);
  expect(complaints(stderr)).toEqual([
    `loophound: incidents are not written to ${log}: its directory does not exist, and loophound does not make one (LOOPHOUND_LOG)`,
  ]);
});

test("a log that is a directory is complained of once, and the application ends as ever", async () => {
  const { stdout, code, stderr } = await run({ LOOPHOUND_LOG: folder });
  expect([stdout, code]).toEqual([said, 5]);
  expect(complaints(stderr)).toEqual([expect.stringContaining("it is a directory")]);
});

test("a log that is a FIFO without a reader holds nobody up", async () => {
  // Not a gate: that is held open by the test, and so has a reader.
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const { stdout, code, stderr } = await run({ LOOPHOUND_LOG: fifo });
  expect([stdout, code]).toEqual([said, 5]);
  expect(complaints(stderr)).toEqual([expect.stringContaining("nobody reads")]);
});

test("a log that is a full pipe holds nobody up", async () => {
  fill(gate.path);
  const { stdout, code } = await run({ LOOPHOUND_LOG: gate.path });
  expect([stdout, code]).toEqual([said, 5]);
});

test("a stderr that is a full pipe, which nobody reads, holds nobody up", async () => {
  fill(gate.path);
  // An open file of its own, that waits when it is written to: as a process has it from its shell.
  const stderr = openSync(gate.path, constants.O_RDWR);
  const child = spawn(execPath, ["--require", agentEntry, script], {
    stdio: ["ignore", "pipe", stderr],
    env: { PATH: ownEnv["PATH"], LOOPHOUND_START_DELAY_MS: "0", LOOPHOUND_PORT: "0" },
  });
  closeSync(stderr);
  let stdout = "";
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect([stdout, code]).toEqual([said, 5]);
});

/** Writes until nothing goes in any more. */
function fill(path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  } finally {
    closeSync(fd);
  }
}
