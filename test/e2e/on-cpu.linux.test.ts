// Each way to keep the CPU, held until the agent has seen it, and its innocent twins, held as long.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import { compileAddon } from "../support/compile-addon";
import { findNodeVersions } from "../support/node-versions";
import type { AppOptions } from "../support/run-app";
import { askHealth } from "./support/page";
import { appPath, blamingTheApp, startWatched, type WatchedApp } from "./support/watched-app";

const script = appPath("busy.js");
const addonName = "export_object.node";

const core = (module: string, symbol: string) => ({
  cause: "sync-core-api",
  culprit: { module, symbol },
});
const javaScript = (symbol: string) => ({ cause: "js-cpu", culprit: { module: null, symbol } });
const addonCall = (symbol: string) => ({
  cause: "sync-native-cpu",
  culprit: { module: addonName, symbol },
});

const cases = [
  { way: "loop", says: "a loop", expected: javaScript("loop"), anyLine: true },
  { way: "expression", says: "a regular expression", expected: javaScript("RegExp.test") },
  { way: "parse", says: "JSON.parse", expected: javaScript("JSON.parse") },
  { way: "tick", says: "an endless nextTick", expected: { cause: "js-cpu" }, anyLine: true },
  { way: "promise", says: "endless promise jobs", expected: { cause: "js-cpu" }, anyLine: true },
  {
    way: "derive",
    says: "crypto.pbkdf2Sync",
    expected: core("node:crypto", "crypto.pbkdf2Sync"),
  },
  { way: "compress", says: "zlib.gzipSync", expected: core("node:zlib", "zlib.gzipSync") },
  { way: "load", says: "require", expected: { cause: "module-load" } },
  { way: "spin", says: "a function of an addon", expected: addonCall("spin") },
  { way: "locked", says: "a method that no forwarder reaches", expected: addonCall("lockedSpin") },
] as const;

/** Looks at /healthz while a twin is at work: far more than a stall needs to be seen. */
const looks = 15;
/** A machine that is busy itself takes the CPU away, and is then rightly named. */
const attempts = 8;
const priority = -15;

let addon = "";
beforeAll(() => {
  addon = compileAddon("forwarded.c", "export_object", ["EXPORT_OBJECT"]);
});
afterAll(() => rmSync(dirname(addon), { recursive: true }));

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(
  nodeBinary: string,
  way: string,
  manner: string,
  options: Omit<AppOptions, "script" | "args"> = {},
): Promise<WatchedApp> {
  const one = await startWatched(script, { ...options, nodeBinary, args: [way, manner, addon] });
  watched.push(one);
  putFirst(one.app.pid);
  return one;
}

/** Before whatever else the machine does, where that is allowed: these tests are about who used the CPU. */
function putFirst(pid: number): void {
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      setPriority(Number(tid), priority);
    } catch {
      return; // An ordinary user may not: then the machine's own stalls are told as such, and others awaited.
    }
  }
}

const lineOf = (way: string): number =>
  readFileSync(script, "utf8")
    .split("\n")
    .findIndex((line) => line.includes(`// here: ${way}`)) + 1;

/** What the machine did is no matter here, nor what it left nobody half of. */
const accusing = (incidents: readonly Incident[]): readonly Incident[] =>
  blamingTheApp(incidents).filter(({ cause }) => cause !== "gc" && cause !== "unknown");

async function accused(one: WatchedApp): Promise<Incident> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await one.stall();
    await one.app.waitForIncident(() => one.app.incidents().length >= attempt);
    const [incident] = accusing(one.app.incidents());
    if (incident !== undefined) return incident;
  }
  const seen = one.app
    .incidents()
    .map(({ cause, evidence }) => [cause, ...evidence.map((fact) => fact.says)]);
  throw new Error(`nobody was named in ${attempts} stalls: ${JSON.stringify(seen, null, 1)}`);
}

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  test.each(cases)("$says on the CPU is named with its line", async (one) => {
    const incident = await accused(await start(binary, one.way, "sync"));
    expect(incident).toMatchObject({ ...one.expected, threadId: 0 });
    expect(incident.culprit?.syscall).toBeNull();
    if ("anyLine" in one) return;
    expect(incident.culprit?.site).toMatchObject({ file: script, line: lineOf(one.way) });
  });

  test.each([
    ["derive", "crypto.pbkdf2"],
    ["compress", "zlib.gzip"],
    ["spin", "an addon's work in the thread pool"],
    ["loop", "JavaScript in short pieces"],
    ["child", "children, one after the other"],
  ])("%s: %s accuses nobody", async (way) => {
    const one = await start(binary, way, "async");
    one.go.letGo();
    await one.app.waitForOutput(/waiting/);
    for (let look = 0; look < looks; look += 1) await askHealth(one.port);
    one.hold.letGo();
    await one.app.waitForOutput(/waited/);
    expect(accusing(one.app.incidents())).toEqual([]);
  });

  test("a process that ends right out of a computation waits for no debugger, and prints nothing", async () => {
    const one = await start(binary, "loop", "exit", { env: { LOOPHOUND_STDERR: "off" } });
    await one.stall();
    expect(await one.app.exited).toEqual({ code: 3, signal: null });
    expect(one.app.stderr()).toBe("");
  });

  test("the thread is not asked while its inspector is open for somebody else, and the incident says so", async () => {
    const one = await start(binary, "loop", "sync", { nodeArgs: ["--inspect=127.0.0.1:0"] });
    await one.stall();
    const { evidence } = await one.app.waitForIncident(({ state }) => state === "closed");
    expect(evidence.map(({ kind }) => kind)).not.toContain("interrupts-answered");
    expect(evidence.some(({ says }) => says.includes("inspector is open"))).toBe(true);
  });
});
