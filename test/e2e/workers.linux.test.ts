// The application's own worker threads: each is watched, and none is taken for another.

import { afterEach, describe, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import { findNodeVersions } from "../support/node-versions";
import { askHealth, eventually } from "./support/page";
import { blamingMain, blamingWorkers, seenMs, stalled, thread, threadsOf } from "./support/threads";
import { appPath, blockingLine, startWatched, type WatchedApp } from "./support/watched-app";

const script = appPath("workers.js");
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

const closedIn =
  (id: number) =>
  ({ state, threadId }: Incident): boolean =>
    state === "closed" && threadId === id;

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

test("a main thread that waits for its worker is named with its line, and the worker is not", async () => {
  const one = await start();
  one.go.letGo("a");
  await one.stalledFor(seenMs);
  expect(await threadsOf(one)).toMatchObject([{ status: "stalled" }, { status: "ok" }]);
  one.hold.letGo();
  expect(await one.app.waitForIncident(closedIn(0))).toMatchObject({
    cause: "sync-core-api",
    culprit: {
      symbol: "Atomics.wait",
      syscall: "futex",
      site: { function: "waitForAnswer", file: script },
    },
  });
  await one.app.waitForOutput(/main has the answer/);
  expect(blamingWorkers(one)).toEqual([]);
});

test("a task that blocks a pool's worker is named, and the waits before and after it are not", async () => {
  const one = await start();
  one.go.letGo("q");
  for (let look = 0; look < looks; look += 1) {
    expect(await threadsOf(one)).toMatchObject([{}, { status: "ok" }]);
  }
  one.go.letGo("u");
  await stalled(one, 1);
  one.hold.letGo();
  await one.app.waitForOutput(/worker read/);
  expect(await one.app.waitForIncident(closedIn(1))).toMatchObject(readOf(1));
  for (let look = 0; look < looks; look += 1) {
    expect(await threadsOf(one)).toMatchObject([{}, { status: "ok" }]);
  }
  one.go.letGo("u");
  await one.app.waitForOutput(/worker woke/);
  expect(blamingWorkers(one)).toHaveLength(1);
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
