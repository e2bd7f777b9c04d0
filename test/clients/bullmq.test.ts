// BullMQ builds on ioredis: what its queue and its worker do is seen through it. Real processes, for BullMQ
// brings its own copy of ioredis, which Node's loader finds.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { packages } from "../support/hooked-client";
import { runScript } from "../support/hooked-script";
import { type RedisServer, startRedisServer } from "../support/redis-server";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

test("the jobs of BullMQ run as without the hooks, and leave no record open", async () => {
  const args = [join(packages, "bullmq"), `${server.port}`];
  const plain = await runScript({ text: appText, args, isHooked: false });
  const hooked = await runScript({ text: appText, args, isHooked: true });
  expect(plain.output).toContain("completed 3 failed Error: of the job");
  expect(hooked.hook).toMatch(/^hook loaded [1-9]\d* 0 ioredis$/);
  expect({ ...hooked, hook: null }).toEqual(plain);
});

const appText = `
const [, , library, port] = process.argv;
const { Queue, Worker } = require(library);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const name = "jobs" + process.pid;
(async () => {
  const queue = new Queue(name, { connection });
  const worker = new Worker(name, async (job) => {
    if (job.name === "broken") throw new Error("of the job");
    return job.data.n + 1;
  }, { connection });
  let completed = 0;
  const failed = new Promise((resolve) => worker.once("failed", (job, error) => resolve(error)));
  const all = new Promise((resolve) => worker.on("completed", () => ++completed === 3 && resolve()));
  for (let n = 0; n < 3; n++) await queue.add("work", { n });
  await queue.add("broken", {});
  const [error] = await Promise.all([failed, all]);
  console.log("completed", completed, "failed", String(error));
  await worker.close();
  await queue.close();
})();`;
