// What inherits the agent: child processes, worker threads, cluster workers.

import { afterEach, expect, test } from "@jest/globals";
import { freePort } from "../support/free-port";
import { agentEntry, type RunningApp, runApp } from "../support/run-app";
import { createGate } from "./support/gate";
import { answering, ask, askHealth, eventually } from "./support/page";
import { appPath, blamingTheApp, startWatched } from "./support/watched-app";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function gate() {
  const one = createGate();
  cleanUps.push(() => one.remove());
  return one;
}

function kept(app: RunningApp): RunningApp {
  cleanUps.push(() => app.stop());
  return app;
}

test("a child process that inherits NODE_OPTIONS is watched by an agent of its own", async () => {
  const [go, hold, port] = [gate(), gate(), await freePort()];
  const app = kept(
    runApp({
      script: appPath("parent.js"),
      agent: false,
      args: [go.path, hold.path],
      env: {
        NODE_OPTIONS: `--require ${agentEntry}`,
        LOOPHOUND_PORT: `${port}`,
        LOOPHOUND_START_DELAY_MS: "0",
      },
    }),
  );
  const child = Number((await app.waitForOutput(/child: (\d+)/))[1]);
  cleanUps.push(() => kill(child));
  await app.waitForOutput(/ready/);
  const [, next] = await app.waitForOutput(/metrics are on http:\/\/127\.0\.0\.1:(\d+)/);
  const pids = await Promise.all([askHealth(port), askHealth(Number(next))]);
  expect(new Set(pids.map(({ pid }) => pid))).toEqual(new Set([app.pid, child]));
  go.letGo();
  const open = await app.waitForIncident(({ state }) => state === "open");
  hold.letGo();
  expect(open).toMatchObject({ pid: child, cause: "sync-core-api" });
  const closed = await app.waitForIncident(({ id, state }) => id === open.id && state === "closed");
  expect(closed.pid).toBe(child);
  const ofParent = app.incidents().filter(({ pid }) => pid === app.pid);
  expect(blamingTheApp(ofParent)).toEqual([]);
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself, which is as good.
  }
}

test("a worker thread of the application gets the agent, and no watchdog of its own", async () => {
  const [hold, port] = [gate(), await freePort()];
  const script = appPath("app-worker.js");
  const common = { script, args: ["", hold.path] };
  const bare = kept(runApp({ ...common, agent: false }));
  const app = kept(runApp({ ...common, env: { LOOPHOUND_PORT: `${port}` } }));
  const words = /agent in the worker: (\w+), threads: (\d+)/;
  const [, , threadsBare] = await bare.waitForOutput(words);
  const [, isInWorker, threads] = await app.waitForOutput(words);
  expect(isInWorker).toBe("true");
  expect(app.stdout()).toContain("agent in the main thread: true");
  // The watchdog comes later; no second one may come with the worker.
  expect(threads).toBe(threadsBare);
  await answering(port, app.pid);
  hold.letGo("..");
  await Promise.all([app, bare].map((one) => one.waitForOutput(/worker waited/)));
  expect(blamingTheApp(app.incidents()).filter(({ threadId }) => threadId === 0)).toEqual([]);
});

test("two cluster workers share the application's port, and each is watched and served", async () => {
  const appPort = await freePort();
  const one = await startWatched(appPath("cluster-app.js"), { args: [`${appPort}`] });
  cleanUps.push(one.stop);
  const said = await eventually(() => {
    const found = [...one.app.stderr().matchAll(/metrics are on http:\/\/127\.0\.0\.1:(\d+)/g)];
    return found.length === 2 ? found : null;
  }, "two workers that say where their metrics are");
  const ports = [one.port, ...said.map(([, port]) => Number(port))];
  const workers = [...one.app.stdout().matchAll(/worker (\d+)/g)].map(([, pid]) => Number(pid));
  const pids = (await Promise.all(ports.map(askHealth))).map(({ pid }) => pid);
  expect(new Set(pids)).toEqual(new Set([one.app.pid, ...workers]));
  const blocked = ask(appPort, "/block");
  const open = await one.app.waitForIncident(({ state }) => state === "open");
  const states = await Promise.all(ports.map(askHealth));
  one.hold.letGo();
  const { body } = await blocked;
  expect(workers).toContain(open.pid);
  expect(String(open.pid)).toBe(body);
  expect(states.filter(({ status }) => status === "stalled").map(({ pid }) => pid)).toEqual([
    open.pid,
  ]);
});
