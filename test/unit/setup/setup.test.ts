import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

// The set-up is plain JavaScript outside the compiler's roots: loaded by path, typed by what is used here.
const setup = join(__dirname, "../../../../scripts/setup");
const lockFile = join(setup, "lock.cjs");
const { filesBelow, hashOf } = require(join(setup, "stamps.cjs")) as {
  hashOf(parts: readonly string[]): string;
  filesBelow(folder: string, isWanted: (path: string) => boolean): string[];
};
const { familyOf, remedyFor } = require(join(setup, "system-packages.cjs")) as {
  familyOf(osRelease: string): string;
  remedyFor(lacking: readonly string[], family: string): string;
};
const { compiledPath, count } = require(join(setup, "test-suites.cjs")) as {
  compiledPath(arg: string): string;
  count(result: object | null, status: number): { passed: number; failed: number; skipped: number };
};

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-setup-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs node with this code; resolves with its exit status. */
async function node(code: string): Promise<number> {
  const child = spawn(process.execPath, ["-e", code], { stdio: "ignore" });
  const [status] = await once(child, "close");
  return status;
}

/** Code that holds the lock for a moment and writes when it came and went. */
const holdLock = (lock: string, journal: string) => `
  const { appendFileSync } = require("node:fs");
  const { withLock } = require(${JSON.stringify(lockFile)});
  withLock(async () => {
    appendFileSync(${JSON.stringify(journal)}, "in ");
    await new Promise((resolve) => setTimeout(resolve, 50));
    appendFileSync(${JSON.stringify(journal)}, "out ");
  }, ${JSON.stringify(lock)});
`;

/** A process id that was given to a process which has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.on("close", resolve));
  return child.pid ?? 0;
}

const { withLock } = require(lockFile) as {
  withLock(work: () => Promise<unknown>, path: string): Promise<unknown>;
};

describe("the set-up's lock", () => {
  test("lets one process in at a time, and leaves nothing behind", async () => {
    const home = join(folder, "one-at-a-time");
    mkdirSync(home);
    const [lock, journal] = [join(home, "lock"), join(folder, "journal-1")];
    const ended = await Promise.all(Array.from({ length: 4 }, () => node(holdLock(lock, journal))));
    expect(ended).toEqual([0, 0, 0, 0]);
    expect(readFileSync(journal, "utf8")).toBe("in out ".repeat(4));
    expect(readdirSync(home)).toEqual([]);
  });

  test("takes over from a process that died with it, one at a time again", async () => {
    const home = join(folder, "stale");
    mkdirSync(home);
    const [lock, journal] = [join(home, "lock"), join(folder, "journal-2")];
    writeFileSync(lock, String(await deadPid()));
    await Promise.all(Array.from({ length: 4 }, () => node(holdLock(lock, journal))));
    expect(readFileSync(journal, "utf8")).toBe("in out ".repeat(4));
    expect(readdirSync(home)).toEqual([]);
  });

  test("tells whom it waits for, while it waits", async () => {
    const [lock, journal] = [join(folder, "told-lock"), join(folder, "journal-3")];
    let child: ChildProcessWithoutNullStreams | null = null;
    await withLock(async () => {
      child = spawn(process.execPath, ["-e", holdLock(lock, journal)]);
      const [said] = await once(child.stderr, "data");
      expect(String(said)).toContain(`waiting for another set-up here (process ${process.pid})`);
    }, lock);
    await once(child as unknown as ChildProcessWithoutNullStreams, "close");
    expect(readFileSync(journal, "utf8")).toBe("in out ");
  });

  test("is given back when the work fails", async () => {
    const lock = join(folder, "failing-lock");
    const failing = withLock(() => Promise.reject(new Error("no luck")), lock);
    await expect(failing).rejects.toThrow("no luck");
    expect(await withLock(async () => "in again", lock)).toBe("in again");
  });
});

describe("stamps", () => {
  test("tell contents apart that are the same when put together", () => {
    expect(hashOf(["ab", "c"])).not.toBe(hashOf(["a", "bc"]));
    expect(hashOf(["ab", "c"])).toBe(hashOf(["ab", "c"]));
  });

  test("see files in folders below, in one order, and none where there is no folder", () => {
    const home = join(folder, "files");
    mkdirSync(join(home, "b"), { recursive: true });
    for (const name of ["c.ts", "b/a.ts", "a.ts", "a.js"]) writeFileSync(join(home, name), "");
    const names = filesBelow(home, (path) => path.endsWith(".ts"));
    expect(names).toEqual(["a.ts", "b/a.ts", "c.ts"].map((name) => join(home, name)));
    expect(filesBelow(join(home, "none"), () => true)).toEqual([]);
  });
});

describe("what to install", () => {
  test.each([
    ['ID=debian\nVERSION_ID="12"\n', "debian"],
    ["NAME=Mint\nID=linuxmint\nID_LIKE=ubuntu\n", "debian"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"],
    ["ID=fedora\n", "fedora"],
    ["ID=alpine\n", "alpine"],
    ["ID=nixos\n", "unknown"],
    ["", "unknown"],
  ])("knows %j", (text, family) => {
    expect(familyOf(text)).toBe(family);
  });

  test("is one command that names every package", () => {
    const all = ["redis", "compiler", "hiredis"];
    expect(remedyFor(all, "debian")).toBe(
      "sudo apt-get install -y redis-tools gcc libc6-dev libhiredis-dev",
    );
    expect(remedyFor(all, "fedora")).toBe(
      "sudo dnf install -y redis gcc glibc-devel hiredis-devel",
    );
    expect(remedyFor(all, "macos")).toBe("brew install redis hiredis && xcode-select --install");
    expect(remedyFor(["redis"], "unknown")).toContain("redis");
    for (const family of ["debian", "fedora", "alpine", "suse"]) {
      expect(remedyFor(["rabbitmq"], family)).toMatch(/ rabbitmq-server$/);
    }
    expect(remedyFor(["rabbitmq"], "macos")).toBe("brew install rabbitmq");
  });
});

describe("installing without starting services", () => {
  const { withoutServices } = require(join(setup, "no-services.cjs")) as {
    withoutServices<T>(
      service: string,
      install: () => Promise<T>,
      policyFile: string,
    ): Promise<T | string>;
  };
  const status = (file: string): Promise<number | null> =>
    new Promise((resolve) => {
      spawn(file, ["any-service", "start"]).on("close", resolve);
    });

  test("forbids them meanwhile, and takes the policy away again", async () => {
    const policy = join(folder, "policy-rc.d");
    expect(await withoutServices("broker", () => status(policy), policy)).toBe(101);
    await expect(
      withoutServices("broker", () => Promise.reject(new Error("no")), policy),
    ).rejects.toThrow();
    expect(existsSync(policy)).toBe(false);
  });

  test("relies on a policy that forbids them, and leaves it there", async () => {
    const policy = join(folder, "strict-policy");
    writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    expect(await withoutServices("broker", async () => "installed", policy)).toBe("installed");
    expect(existsSync(policy)).toBe(true);
  });

  test("installs nothing where the machine's own policy lets them start", async () => {
    const policy = join(folder, "lax-policy");
    writeFileSync(policy, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
    expect(await withoutServices("broker", async () => "installed", policy)).toContain(
      "installing broker would start one",
    );
  });
});

describe("the count of npm test", () => {
  const jest = {
    numPassedTests: 5,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 1,
    numTodoTests: 0,
  };

  test("takes over what jest counted", () => {
    expect(count(jest, 0)).toEqual({ passed: 5, failed: 0, skipped: 1 });
  });

  test("counts a file that could not be loaded as a failure", () => {
    expect(count({ ...jest, numRuntimeErrorTestSuites: 1 }, 1).failed).toBe(1);
  });

  test("counts a run that failed without a failed test, or that left no result", () => {
    expect(count(jest, 1).failed).toBe(1);
    expect(count(null, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test("finds the compiled file for a source", () => {
    expect(compiledPath("test/unit/a.test.ts")).toBe("dist/test/unit/a.test.js");
    expect(compiledPath("./test/e2e/b.test.ts")).toBe("dist/test/e2e/b.test.js");
    expect(compiledPath("-t")).toBe("-t");
  });
});
