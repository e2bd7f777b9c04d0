// The application's own worker threads: each is watched, and none is taken for another.

import { readdirSync, readlinkSync } from "node:fs";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import type { ThreadHealth } from "../../exporters/routes";
import { findNodeVersions } from "../support/node-versions";
import { agentEntry, runApp } from "../support/run-app";
import { ask, askHealth, eventually } from "./support/page";
import {
  appPath,
  blamingTheApp,
  blockingLine,
  startWatched,
  type WatchedApp,
} from "./support/watched-app";

const script = appPath("workers.js");
/** Enough to be an incident (50 ms), whatever is lost at its edges. */
const seenMs = 150;
/** Safety rail: two hundred threads take seconds where there is little CPU. */
const manyMs = 55_000;
/** Looks at /healthz while nothing is wrong: far more than a stall needs to be seen. */
const looks = 15;

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

/** The application with its worker, which is watched. */
async function start(options: Parameters<typeof startWatched>[1] = {}): Promise<WatchedApp> {
  const one = await startWatched(script, options);
  watched.push(one);
  await thread(one, 1, () => true);
  return one;
}

const threadsOf = async ({ port }: WatchedApp): Promise<readonly ThreadHealth[]> =>
  (await askHealth(port)).threads;

const thread = (one: WatchedApp, id: number, fits: (health: ThreadHealth) => boolean) =>
  eventually(
    async () =>
      (await threadsOf(one)).find((health) => health.threadId === id && fits(health)) ?? null,
    `thread ${id} as it should be on /healthz`,
  );

const stalled = (one: WatchedApp, id: number) =>
  thread(one, id, ({ stalledForMs }) => stalledForMs >= seenMs);

const closedIn =
  (id: number) =>
  ({ state, threadId }: Incident): boolean =>
    state === "closed" && threadId === id;

const blamingWorkers = ({ app }: WatchedApp): readonly Incident[] =>
  blamingTheApp(app.incidents()).filter(({ threadId }) => threadId !== 0);

/** An `unknown` accuses nobody: a machine this busy leaves a loop late, and its watchdog too. */
const blamingMain = ({ app }: WatchedApp): readonly Incident[] =>
  blamingTheApp(app.incidents()).filter(
    ({ threadId, cause }) => threadId === 0 && cause !== "unknown",
  );

const readOf = (id: number) => ({
  cause: "sync-core-api",
  threadId: id,
  culprit: {
    module: "node:fs",
    syscall: "read",
    site: { function: "readHold", file: script, line: blockingLine(script) },
  },
});

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  test("a blocked worker is named by its thread, and the main thread is not", async () => {
    const one = await start({ nodeBinary: binary });
    one.go.letGo("w");
    expect(await stalled(one, 1)).toMatchObject({ status: "stalled" });
    one.go.letGo("h");
    await one.app.waitForOutput(/main turns/);
    expect(await askHealth(one.port)).toMatchObject({ status: "ok", stalledForMs: 0 });
    expect(await one.metric("loophound_stalled", 'thread="1"')).toBe(1);
    expect(await one.metric("loophound_stalled", 'thread="0"')).toBe(0);
    one.hold.letGo();
    expect(await one.app.waitForIncident(closedIn(1))).toMatchObject(readOf(1));
    await one.app.waitForOutput(/worker read/);
    expect(blamingMain(one)).toEqual([]);
    const cause = 'thread="1",cause="sync-core-api"';
    expect(await one.metric("loophound_stalls_total", cause)).toBe(1);
  });

  test("a worker that a pool has parked in Atomics.wait is at rest", async () => {
    const one = await start({ nodeBinary: binary });
    one.go.letGo("p");
    for (let look = 0; look < looks; look += 1) {
      expect((await askHealth(one.port)).threads).toMatchObject([
        { threadId: 0 },
        { threadId: 1, status: "ok", stalledForMs: 0 },
      ]);
    }
    one.go.letGo("u");
    await one.app.waitForOutput(/worker woke/);
    expect(blamingWorkers(one)).toEqual([]);
  });
});

test("a blocked main thread is named, and its healthy worker is not", async () => {
  const one = await start();
  one.go.letGo("m");
  await one.stalledFor(seenMs);
  expect(await threadsOf(one)).toMatchObject([
    { threadId: 0, status: "stalled" },
    { threadId: 1, status: "ok" },
  ]);
  one.hold.letGo();
  expect(await one.app.waitForIncident(closedIn(0))).toMatchObject(readOf(0));
  expect(blamingWorkers(one)).toEqual([]);
});

test("both blocked at once are two incidents of two threads", async () => {
  const one = await start();
  one.go.letGo("w");
  await stalled(one, 1);
  one.go.letGo("m");
  await stalled(one, 0);
  one.hold.letGo("..");
  const both = await Promise.all([0, 1].map((id) => one.app.waitForIncident(closedIn(id))));
  expect(both).toMatchObject([readOf(0), readOf(1)]);
  expect(both[0]?.id).not.toBe(both[1]?.id);
});

test("a worker that computes is counted, and no incident while it serves nobody", async () => {
  const one = await start();
  one.go.letGo("s");
  await stalled(one, 1);
  one.go.letGo("u");
  await one.app.waitForOutput(/worker computed/);
  await eventually(
    async () => ((await one.metric("loophound_stalls_total", 'thread="1"')) > 0 ? true : null),
    "the stall in the metrics",
  );
  expect(blamingWorkers(one)).toEqual([]);
});

test("a worker that serves is an incident also when it computes, or waits in Atomics.wait", async () => {
  const one = await start();
  one.go.letGo("l");
  await one.app.waitForOutput(/worker listens/);
  one.go.letGo("s");
  await stalled(one, 1);
  one.go.letGo("u");
  await one.app.waitForIncident(closedIn(1));
  one.go.letGo("p");
  await stalled(one, 1);
  one.go.letGo("u");
  await one.app.waitForIncident(
    (incident) => closedIn(1)(incident) && incident.cause === "sync-core-api",
  );
  expect(blamingMain(one)).toEqual([]);
});

test("a worker that is terminated while it is blocked ends its incident, and is watched no more", async () => {
  const one = await start();
  one.go.letGo("w");
  const open = await one.app.waitForIncident(({ state }) => state === "open");
  one.go.letGo("t");
  one.hold.letGo();
  const closed = await one.app.waitForIncident(closedIn(1));
  await one.app.waitForOutput(/worker ended with 1/);
  expect(closed.id).toBe(open.id);
  expect(closed).toMatchObject(readOf(1));
  await eventually(
    async () => ((await threadsOf(one)).length === 1 ? true : null),
    "the main thread alone on /healthz",
  );
  expect(await one.metric("loophound_stalled")).toBe(0);
  expect(await one.metric("loophound_internal_errors_total")).toBe(0);
});

test("with LOOPHOUND_WORKERS=off a worker thread is left alone", async () => {
  const one = await startWatched(script, { env: { LOOPHOUND_WORKERS: "off" } });
  watched.push(one);
  one.go.letGo("w");
  for (let look = 0; look < looks; look += 1) {
    expect(await threadsOf(one)).toMatchObject([{ threadId: 0, status: "ok" }]);
  }
  one.hold.letGo();
  await one.app.waitForOutput(/worker read/);
  expect(blamingMain(one)).toEqual([]);
  expect(blamingWorkers(one)).toEqual([]);
});

/** What each worker thread of worker-kinds.js told of itself, by how it was started. */
const kindsOf = ({ app }: WatchedApp) =>
  Object.fromEntries(
    app
      .stdout()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Kind)
      .map(({ kind, told }) => [kind, told] as const),
  );

interface Kind {
  readonly kind: string;
  readonly told: readonly { readonly threadId: number; readonly hasAgent: boolean }[];
}

test.each([
  { way: "--require", options: {}, without: ["execArgv: []", "execArgv: [] and env: {}"] },
  {
    way: "NODE_OPTIONS",
    options: { agent: false, env: { NODE_OPTIONS: `--require ${agentEntry}` } },
    without: ["env: {}", "execArgv: [] and env: {}"],
  },
])("with $way, whatever inherits it is watched, and nothing else", async ({ options, without }) => {
  const one = await startWatched(appPath("worker-kinds.js"), options);
  watched.push(one);
  const kinds = kindsOf(one);
  const told = Object.values(kinds).flat();
  expect(told).toHaveLength(11);
  const bare = Object.keys(kinds).filter((kind) => !kinds[kind]?.every(({ hasAgent }) => hasAgent));
  expect(bare).toEqual(without);
  const expected = told.filter(({ hasAgent }) => hasAgent).map(({ threadId }) => threadId);
  await eventually(
    async () => ((await threadsOf(one)).length > expected.length ? true : null),
    "all of them on /healthz",
  );
  const ids = (await threadsOf(one)).map(({ threadId }) => threadId);
  expect(new Set(ids)).toEqual(new Set([0, ...expected]));
});

test("a worker hears nothing of the others, which would have it load undici for the message", async () => {
  const words = /undici in the first worker: (\w+)/;
  const bare = runApp({ script: appPath("worker-kinds.js"), agent: false });
  try {
    const one = await startWatched(appPath("worker-kinds.js"));
    watched.push(one);
    const [, loaded] = await one.app.waitForOutput(words);
    expect(loaded).toBe((await bare.waitForOutput(words))[1]);
    expect(loaded).toBe("false");
  } finally {
    await bare.stop();
  }
});

test("two hundred workers that come and go leave nothing behind", async () => {
  const one = await startWatched(appPath("many-workers.js"));
  watched.push(one);
  const openBefore = taskFiles(one.app.pid);
  one.go.letGo();
  await one.app.waitForOutput(/200 workers ended/, manyMs);
  await eventually(
    async () => ((await threadsOf(one)).length === 1 ? true : null),
    "the main thread alone on /healthz",
  );
  expect(taskFiles(one.app.pid)).toEqual(openBefore);
  const { body } = await ask(one.port, "/metrics");
  const labels = new Set([...body.matchAll(/thread="(\d+)"/g)].map(([, id]) => id));
  expect(labels.size).toBeLessThanOrEqual(17);
  expect(await one.metric("loophound_internal_errors_total")).toBe(0);
  expect(await one.metric("loophound_dropped_total")).toBe(0);
  // The main thread may have been late: so many threads at once leave it little of a small machine.
  expect(blamingWorkers(one)).toEqual([]);
});

/** The descriptors by which the watchdog looks at threads. */
function taskFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return ""; // Closed since it was listed.
    }
  });
  return targets.filter((target) => target.includes("/task/")).sort();
}
