// Silence where there is nothing to say: real traffic through a real Redis, and a process that idles.

import { Agent, get } from "node:http";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import { freePort } from "../support/free-port";
import { startRedisServer } from "../support/redis-server";
import { runApp } from "../support/run-app";
import { answering, ask, metricSum } from "./support/page";
import { appPath, blamingTheApp } from "./support/watched-app";

/** LOOPHOUND_TEST_SECONDS=600 for a long look. */
const seconds = Number(env["LOOPHOUND_TEST_SECONDS"] ?? 10);
const idleSeconds = Math.min(seconds, 4);
/** Requests under way at any time: a server that has something to do, and time left. */
const clients = 4;
/** Between two requests of one client. */
const thinkMs = 5;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test(`${seconds} seconds of healthy traffic give no incident that blames the application`, async () => {
  const redis = await startRedisServer();
  cleanUps.push(() => redis.stop());
  const [port, agentPort] = [await freePort(), await freePort()];
  const app = runApp({
    script: appPath("traffic.js"),
    env: { PORT: `${port}`, REDIS_PORT: `${redis.port}`, LOOPHOUND_PORT: `${agentPort}` },
  });
  cleanUps.push(() => app.stop());
  await app.waitForOutput(/ready/);
  const answers = await drive(port);
  await answering(agentPort, app.pid);
  expect(blamingTheApp(app.incidents())).toEqual([]);
  const { body } = await ask(agentPort, "/metrics");
  const expires = metricSum(body, "loophound_command_duration_seconds_count", 'command="EXPIRE"');
  // All of it was seen: silence was a judgement, not blindness.
  expect(expires).toBe(answers);
});

test(`a process that idles for ${idleSeconds} seconds gives none either`, async () => {
  const port = await freePort();
  const app = runApp({
    script: appPath("idle.js"),
    env: { LOOPHOUND_PORT: `${port}`, LOOPHOUND_START_DELAY_MS: "0" },
  });
  cleanUps.push(() => app.stop());
  await answering(port, app.pid);
  await sleep(idleSeconds * 1_000);
  expect(blamingTheApp(app.incidents())).toEqual([]);
  const { body } = await ask(port, "/metrics");
  expect(metricSum(body, "loophound_stalled")).toBe(0);
  expect(metricSum(body, "loophound_internal_errors_total")).toBe(0);
});

/** Resolves with the number of answers; rejects at the first that is not the application's. */
async function drive(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  cleanUps.push(async () => agent.destroy());
  const end = performance.now() + seconds * 1_000;
  let answers = 0;
  const client = async (id: number): Promise<void> => {
    while (performance.now() < end) {
      const body = await request(agent, port, `/${id}-${answers % 100}`);
      if (!/^value -?\d+$/.test(body)) throw new Error(`the application answered ${body}`);
      answers += 1;
      await sleep(thinkMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, id) => client(id)));
  return answers;
}

const request = (agent: Agent, port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body)).on("error", reject);
    }).on("error", reject);
  });
