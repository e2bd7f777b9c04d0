// An operation that RabbitMQ answers at once, held up: by a broker that stands still, which is told,
// and by the broker's alarm, which is nobody's fault.

import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { askHealth, eventually } from "../e2e/support/page";
import { appPath, blamingTheApp, startWatched, type WatchedApp } from "../e2e/support/watched-app";
import { type RabbitServer, startRabbitServer } from "../support/rabbitmq-server";

let server: RabbitServer;
beforeAll(async () => {
  server = await startRabbitServer();
});
afterAll(() => server.stop());

const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

async function start(...args: readonly string[]): Promise<WatchedApp> {
  const env = { AMQP_URL: server.url("heartbeat=60") };
  const one = await startWatched(appPath("amqp-get.js"), { env, args });
  watched.push(one);
  return one;
}

/** Looks at /healthz meanwhile, at the least. */
const looks = 15;
/** Far longer than a slow command takes to be one, however quick the looks are. */
const heldLeastMs = 500;

async function held(one: WatchedApp): Promise<void> {
  await one.app.waitForOutput(/asking/);
  const sinceMs = performance.now();
  for (let look = 0; look < looks || performance.now() - sinceMs < heldLeastMs; look += 1) {
    await askHealth(one.port);
  }
}

test("a basic.get that a standing broker does not answer is told, and not put down to the loop", async () => {
  const one = await start();
  process.kill(server.pid, "SIGSTOP");
  try {
    one.go.letGo();
    await held(one);
    await eventually(async () => {
      const open = await one.metric("loophound_commands_open");
      return open === 1 ? true : null;
    }, "one operation under way");
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
  const incident = await one.app.waitForIncident(({ stall }) => stall === null);
  expect(incident).toMatchObject({
    culprit: null,
    commands: [{ client: "amqplib", command: "basic.get", host: "127.0.0.1", port: server.port }],
  });
  expect(["unknown", "server-slow", "network-slow"]).toContain(incident.cause);
  await one.app.waitForOutput(/answered/);
});

test("one that waits for the end of the broker's alarm is not", async () => {
  const one = await start("alarm");
  await server.ctl("set_vm_memory_high_watermark", "absolute", "1MB");
  try {
    one.go.letGo();
    await held(one);
  } finally {
    await server.ctl("set_vm_memory_high_watermark", "0.4");
  }
  await one.app.waitForOutput(/answered/);
  // Time for it to be judged: the metric counts it before.
  const answered = () => one.metric("loophound_command_duration_seconds_count", '"basic.get"');
  await eventually(async () => ((await answered()) === 1 ? true : null), "the answer, counted");
  for (let look = 0; look < looks; look += 1) await askHealth(one.port);
  expect(blamingTheApp(one.app.incidents())).toEqual([]);
});
