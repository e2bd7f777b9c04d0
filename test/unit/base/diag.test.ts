// What stderr may be, each in a real process: the descriptor is the child's own.

import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

const diag = resolve(__dirname, "../../../agent/base/diag.js");
const { O_RDWR, O_WRONLY, O_NONBLOCK } = constants;
/** A safety rail: a write that waits for a reader would never return. */
const hungMs = 20_000;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "loophound-diag-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Runs `code` with `stderr` at hand and `stderrFd` as descriptor 2; gives what it printed. */
function run(code: string, stderrFd: number | "pipe") {
  const script = `const { createStderr } = require(${JSON.stringify(diag)}); const fs = require("node:fs"); const say = (value) => fs.writeSync(1, JSON.stringify(value)); ${code}`;
  const child = spawnSync(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", stderrFd],
    timeout: hungMs,
    encoding: "utf8",
    env: {},
  });
  return {
    said: child.stdout === "" ? null : JSON.parse(child.stdout),
    stderr: child.stderr,
    signal: child.signal,
  };
}

const writeOnce = `const stderr = createStderr(); const wrote = stderr.write("loophound: héllo\\n"); say([wrote, stderr.dropped()]);`;

function makeFifo(): string {
  const path = join(directory, "fifo");
  execFileSync("mkfifo", [path]);
  return path;
}

function fill(fd: number): void {
  for (const size of [4096, 1]) {
    try {
      while (writeSync(fd, Buffer.alloc(size, 120)) > 0);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
    }
  }
}

/** Elsewhere a description of our own cannot be opened, and a full pipe holds up whoever writes. */
const testOnLinux = process.platform === "linux" ? test : test.skip;

describe("createStderr", () => {
  test("writes to a pipe", () => {
    const fd = openSync(makeFifo(), O_RDWR | O_NONBLOCK);
    expect(run(writeOnce, fd).said).toEqual([true, 0]);
    const buffer = Buffer.alloc(100);
    expect(buffer.toString("utf8", 0, readSync(fd, buffer))).toBe("loophound: héllo\n");
    closeSync(fd);
  });

  testOnLinux(
    "drops what a full pipe does not take, at once, though the application's end would wait",
    () => {
      const path = makeFifo();
      const filler = openSync(path, O_RDWR | O_NONBLOCK);
      fill(filler);
      // The child's own description, without O_NONBLOCK: a plain write to it would never return.
      const blocking = openSync(path, O_RDWR);
      expect(run(writeOnce, blocking)).toMatchObject({ said: [false, 1], signal: null });
      closeSync(blocking);
      closeSync(filler);
    },
  );

  testOnLinux("drops where the reader of the pipe is gone", () => {
    const path = makeFifo();
    const reader = openSync(path, O_RDWR | O_NONBLOCK);
    const writer = openSync(path, O_WRONLY);
    closeSync(reader);
    expect(run(writeOnce, writer)).toMatchObject({ said: [false, 1], signal: null });
    closeSync(writer);
  });

  test("writes to a socket", () => {
    // child_process makes its pipes of socket pairs: unix(7).
    const { said, stderr } = run(writeOnce, "pipe");
    expect(said).toEqual([true, 0]);
    expect(stderr).toBe("loophound: héllo\n");
  });

  test("shares the offset of a file with the application: neither overwrites the other", () => {
    const path = join(directory, "err.log");
    const fd = openSync(path, "w");
    run(`fs.writeSync(2, "before\\n"); ${writeOnce} fs.writeSync(2, "after\\n");`, fd);
    closeSync(fd);
    expect(readFileSync(path, "utf8")).toBe("before\nloophound: héllo\nafter\n");
  });

  test("drops when stderr is closed, before or after it was made", () => {
    expect(run(`fs.closeSync(2); ${writeOnce}`, "pipe").said).toEqual([false, 1]);
    const late = `const stderr = createStderr(); fs.closeSync(2); say([stderr.write("x"), stderr.dropped()]);`;
    expect(run(late, "pipe").said).toEqual([false, 1]);
  });

  test("never writes into a file of the application that got number 2 later", () => {
    const path = join(directory, "data.db");
    const code = `const stderr = createStderr(); fs.closeSync(2); const fd = fs.openSync(${JSON.stringify(path)}, "w"); say([fd, stderr.write("x")]);`;
    const log = openSync(join(directory, "err.log"), "w");
    for (const stderr of ["pipe", log] as const) {
      expect(run(code, stderr).said).toEqual([2, false]);
      expect(readFileSync(path, "utf8")).toBe("");
    }
    closeSync(log);
  });

  test("cuts a text that a pipe would not take whole, between characters", () => {
    const { stderr } = run(`createStderr().write("é".repeat(5000));`, "pipe");
    expect(stderr).toMatch(/^é+\n$/);
    expect(Buffer.byteLength(stderr)).toBeLessThanOrEqual(4096);
    expect(Buffer.byteLength(stderr)).toBeGreaterThan(4090);
  });
});
