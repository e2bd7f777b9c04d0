// How worker threads come and go: what watches them comes and goes with them.

import { readdirSync, readlinkSync } from "node:fs";
import { afterEach, expect, test } from "@jest/globals";
import { agentEntry, runApp } from "../support/run-app";
import { ask, eventually } from "./support/page";
import { blamingWorkers, threadsOf } from "./support/threads";
import { appPath, startWatched, type WatchedApp } from "./support/watched-app";

/** Safety rail: two hundred threads take seconds where there is little CPU. */
const manyMs = 55_000;

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
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

test("a worker that asks for incidents hears of those of all threads", async () => {
  const one = await startWatched(appPath("worker-subscribes.js"));
  watched.push(one);
  await one.stall();
  await one.app.waitForOutput(/worker heard of thread 0/);
});
