// The agent's own port: which processes have one, and whose it is when two want the same.

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import { freePort } from "../support/free-port";
import { type AppOptions, type RunningApp, runApp } from "../support/run-app";
import { createGate, type Gate } from "./support/gate";
import { answering, ask, askHealth, eventually } from "./support/page";
import { appPath } from "./support/watched-app";

/** TCP_LISTEN in the kernel's include/net/tcp_states.h. */
const listenState = "0A";

const apps: RunningApp[] = [];
const gates: Gate[] = [];
const servers: Server[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.stop();
  for (const gate of gates.splice(0)) gate.remove();
  for (const server of servers.splice(0)) server.close();
});

function run(options: AppOptions): RunningApp {
  const app = runApp(options);
  apps.push(app);
  return app;
}

function gate(): Gate {
  const one = createGate();
  gates.push(one);
  return one;
}

async function takePort(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Where stderr says that the metrics are. */
async function portSaid(app: RunningApp): Promise<number> {
  const [, port] = await app.waitForOutput(/metrics are on http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
  return Number(port);
}

const isAnswering = (port: number): Promise<boolean> =>
  ask(port, "/").then(
    () => true,
    () => false,
  );

test("a process that ends within a second has no port, no thread of ours, and says nothing", async () => {
  const script = appPath("short-lived.js");
  const port = await freePort();
  const bare = run({ script, agent: false });
  const app = run({ script, env: { LOOPHOUND_PORT: `${port}` } });
  let isOver = false;
  void app.exited.then(() => {
    isOver = true;
  });
  const answers: boolean[] = [];
  while (!isOver) {
    answers.push(await isAnswering(port));
    await sleep(5);
  }
  await bare.exited;
  expect(answers.length).toBeGreaterThan(0);
  expect(answers).not.toContain(true);
  expect(app.stdout()).toMatch(/^threads: \d+\n$/);
  expect([app.stdout(), app.stderr()]).toEqual([bare.stdout(), ""]);
});

test("a process that lives on is served, and tells its own process id", async () => {
  const port = await freePort();
  const app = run({ script: appPath("idle.js"), env: { LOOPHOUND_PORT: `${port}` } });
  expect(await answering(port, app.pid)).toMatchObject({ status: "ok", stalledForMs: 0 });
  expect((await ask(port, "/metrics")).body).toContain('loophound_stalled{thread="0"} 0');
  expect(app.stderr()).toBe("");
});

test("where the port is taken the next free one is used, and said once", async () => {
  const taken = await takePort();
  const app = run({ script: appPath("idle.js"), env: { LOOPHOUND_PORT: `${taken}` } });
  const port = await portSaid(app);
  expect(port).not.toBe(taken);
  expect((await answering(port, app.pid)).status).toBe("ok");
  expect(app.stderr()).toBe(
    `loophound: port ${taken} is taken; metrics are on http://127.0.0.1:${port}/metrics\n`,
  );
});

test("two processes side by side each have a port of their own", async () => {
  const wanted = await freePort();
  const env = { LOOPHOUND_PORT: `${wanted}` };
  const first = run({ script: appPath("idle.js"), env });
  await answering(wanted, first.pid);
  const second = run({ script: appPath("idle.js"), env });
  await answering(await portSaid(second), second.pid);
  expect((await askHealth(wanted)).pid).toBe(first.pid);
  expect(first.stderr()).toBe("");
});

test("LOOPHOUND_PORT=off opens none", async () => {
  const [go, hold] = [gate(), gate()];
  const log = join(dirname(go.path), "incidents.ndjson");
  const app = run({
    script: appPath("block-in-read.js"),
    args: [go.path, hold.path],
    env: { LOOPHOUND_PORT: "off", LOOPHOUND_START_DELAY_MS: "0", LOOPHOUND_LOG: log },
  });
  await app.waitForOutput(/ready/);
  await eventually(() => existsSync(log) || null, "a watchdog that has opened its log");
  go.letGo();
  // Once it speaks of a stall, it is older than those that open a port.
  await app.waitForIncident(({ state }) => state === "open");
  expect(listeningPorts(app.pid)).toEqual([]);
});

test.each([
  ["on all addresses", []],
  ["on the same address", ["127.0.0.1"]],
])("an application that listens %s where we do gets its port, and we move", async (_, host) => {
  const port = await freePort();
  const go = gate();
  const app = run({
    script: appPath("listen-on.js"),
    args: [go.path, "", `${port}`, ...host],
    env: { LOOPHOUND_PORT: `${port}` },
  });
  await answering(port, app.pid);
  go.letGo();
  await app.waitForOutput(/listening|failed/);
  expect(app.stdout()).toBe("ready\nlistening\n");
  expect((await ask(port, "/healthz")).body).toBe("the application");
  const moved = await portSaid(app);
  await answering(moved, app.pid);
  expect(app.stderr()).toBe(
    `loophound: port ${port} was wanted by the application; metrics are on http://127.0.0.1:${moved}/metrics\n`,
  );
});

test("an application that listens where somebody else does gets its error as ever", async () => {
  const [taken, port, go] = [await takePort(), await freePort(), gate()];
  const app = run({
    script: appPath("listen-on.js"),
    args: [go.path, "", `${taken}`, "127.0.0.1"],
    env: { LOOPHOUND_PORT: `${port}` },
  });
  await answering(port, app.pid);
  go.letGo();
  await app.waitForOutput(/failed/);
  expect(app.stdout()).toBe("ready\nfailed: EADDRINUSE\n");
  expect((await askHealth(port)).pid).toBe(app.pid);
  expect(app.stderr()).toBe("");
});

test("a served process is seen to listen by the same look that finds nothing without a port", async () => {
  const port = await freePort();
  const app = run({ script: appPath("idle.js"), env: { LOOPHOUND_PORT: `${port}` } });
  await eventually(async () => ((await isAnswering(port)) ? true : null), "an answer");
  expect(listeningPorts(app.pid)).toEqual([port]);
});

/** Local ports in state LISTEN whose sockets the process holds: proc_pid_net(5), proc_pid_fd(5). */
function listeningPorts(pid: number): readonly number[] {
  const folder = `/proc/${pid}/fd`;
  const inodes = readdirSync(folder)
    .map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1])
    .filter((inode) => inode !== undefined);
  return ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n"))
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[3] === listenState && inodes.includes(columns[9] ?? ""))
    .map((columns) => Number.parseInt(columns[1]?.split(":")[1] ?? "", 16));
}
