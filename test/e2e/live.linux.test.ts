// What can be learned of a stall while it goes on, and what of it stays when the process ends.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "node:process";
import { afterEach, expect, test } from "@jest/globals";
import type { Incident } from "../../agent/model/incident";
import type { Health } from "../../exporters/routes";
import { ask, askHealth, metricSum } from "./support/page";
import { appPath, startWatched, type WatchedApp } from "./support/watched-app";

/** This file runs as dist/test/e2e/live.linux.test.js; what it measured is kept beside the build. */
const reportFolder = join(__dirname, "../../../.loophound/reports");
const requests = 20;

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(...args: Parameters<typeof startWatched>): Promise<WatchedApp> {
  const one = await startWatched(...args);
  watched.push(one);
  return one;
}

const isOpen = ({ state }: Incident): boolean => state === "open";
const isClosed = ({ state }: Incident): boolean => state === "closed";

test("a stall of more than two seconds shows on /metrics, /healthz and /incidents while it goes on", async () => {
  const { app, port, go, hold, metric } = await start(appPath("block-in-read.js"));
  go.letGo();
  const open = await app.waitForIncident(isOpen);
  const [metricsMs, healthMs]: [number[], number[]] = [[], []];
  const ages: number[] = [];
  for (let request = 0; request < requests; request += 1) {
    const [metrics, health] = [await ask(port, "/metrics"), await ask(port, "/healthz")];
    metricsMs.push(metrics.tookMs);
    healthMs.push(health.tookMs);
    ages.push(metricSum(metrics.body, "loophound_stall_age_seconds"));
    expect(metricSum(metrics.body, "loophound_stalled", 'thread="0"')).toBe(1);
    const { status, stalledForMs, cause, pid } = JSON.parse(health.body) as Health;
    expect({ status, cause, pid }).toEqual({
      status: "stalled",
      cause: "sync-core-api",
      pid: app.pid,
    });
    expect(stalledForMs).toBeGreaterThan(open.durationMs);
  }
  const recent = JSON.parse((await ask(port, "/incidents")).body) as readonly Incident[];
  expect(recent).toEqual([open]);
  // The application has not moved: all of this was said while it was blocked.
  expect(app.stdout()).not.toContain("waited");
  hold.letGo();
  const closed = await app.waitForIncident(isClosed);
  expect(ages[0]).toBeGreaterThan(0);
  expect(ages).toEqual([...ages].sort((a, b) => a - b));
  expect(closed.id).toBe(open.id);
  expect(closed.durationMs).toBeGreaterThan(open.durationMs);
  expect(await metric("loophound_stalled")).toBe(0);
  expect((await askHealth(port)).status).toBe("ok");
  writeReport({ metricsMs, healthMs });
});

test("an open stall is not counted as an incident twice", async () => {
  const { app, go, hold, metric } = await start(appPath("block-in-read.js"));
  go.letGo();
  await app.waitForIncident(isOpen);
  expect(await metric("loophound_incidents_total")).toBe(0);
  hold.letGo();
  await app.waitForIncident(isClosed);
  expect(await metric("loophound_incidents_total", 'cause="sync-core-api"')).toBe(1);
  expect(app.incidents().filter(({ cause }) => cause === "sync-core-api")).toHaveLength(2);
});

test("a process killed in the middle of a long stall leaves the open line as its last words", async () => {
  const { app, go } = await start(appPath("block-in-read.js"));
  go.letGo();
  const open = await app.waitForIncident(isOpen);
  app.kill("SIGKILL");
  expect(await app.exited).toEqual({ code: null, signal: "SIGKILL" });
  expect(app.incidents()).toEqual([open]);
  expect(open).toMatchObject({ cause: "sync-core-api", culprit: { syscall: "read" } });
});

test("an exit straight out of a long stall keeps its code and the open line", async () => {
  const { app, go, hold } = await start(appPath("exit-inside-stall.js"));
  go.letGo();
  const open = await app.waitForIncident(isOpen);
  hold.letGo();
  expect(await app.exited).toEqual({ code: 3, signal: null });
  expect(app.incidents()[0]).toEqual(open);
  expect(new Set(app.incidents().map(({ id }) => id))).toEqual(new Set([open.id]));
});

test("repeats that are held back for folding are written at process.exit", async () => {
  const stalls = 5;
  const { app, go, stall, metric } = await start(appPath("exit-after-stalls.js"));
  for (let count = 1; count <= stalls; count += 1) {
    await stall();
    while ((await metric("loophound_incidents_total", 'cause="sync-core-api"')) < count);
  }
  const before = app.incidents().filter(({ cause }) => cause === "sync-core-api");
  expect(before.map(({ repeats }) => repeats)).toEqual([1, 1, 1]);
  go.letGo("x");
  expect(await app.exited).toEqual({ code: 7, signal: null });
  const after = app.incidents().filter(({ cause }) => cause === "sync-core-api");
  expect(after.map(({ repeats }) => repeats)).toEqual([1, 1, 1, 2]);
  expect(after.at(-1)?.stalls).toHaveLength(2);
});

/** Times are kept for people and for the benchmark, and asserted nowhere. */
function writeReport(times: Readonly<Record<"metricsMs" | "healthMs", number[]>>): void {
  const summary = Object.entries(times).map(([name, list]) => {
    const sorted = [...list].sort((a, b) => a - b);
    return [name, { median: sorted[Math.floor(sorted.length / 2)], max: sorted.at(-1) }];
  });
  mkdirSync(reportFolder, { recursive: true });
  const text = JSON.stringify({ node: version, requests, ...Object.fromEntries(summary) }, null, 2);
  writeFileSync(join(reportFolder, `stall-response-times-${version}.json`), `${text}\n`);
}
