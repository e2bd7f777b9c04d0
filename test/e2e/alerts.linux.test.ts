// The rules of `loophound alerts`, checked by promtool, and once end to end: a real application, a real
// blocked loop, a real Prometheus and Alertmanager, and the alert at a webhook while the stall goes on.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { findProgram, startAlertmanager, startPrometheus } from "../support/prometheus";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { ask, eventually } from "./support/page";
import { appPath, blockingLine, startWatched } from "./support/watched-app";

/** This file runs as dist/test/e2e/alerts.linux.test.js. */
const cli = join(__dirname, "../../agent/cli.js");
const recorded = join(__dirname, "../../../test/fixtures/rules.test.yml");

const folder = mkdtempSync(join(tmpdir(), "loophound-rules-"));
const rules = execFileSync(process.execPath, [cli, "alerts"], { encoding: "utf8" });
const ruleFile = join(folder, "loophound.rules.yml");

beforeAll(() => writeFileSync(ruleFile, rules));
afterAll(() => rmSync(folder, { recursive: true }));

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** What it printed; throws with that where it fails. */
function promtool(args: readonly string[], input = ""): string {
  const cwd = folder;
  return execFileSync(findProgram("promtool"), args, { cwd, input, encoding: "utf8" });
}

test("promtool takes the rules, and finds them to say of recorded series what they should", () => {
  expect(promtool(["check", "rules", ruleFile])).toContain("SUCCESS");
  const tests = join(folder, "rules.test.yml");
  copyFileSync(recorded, tests);
  expect(promtool(["test", "rules", tests])).toContain("SUCCESS");
});

interface Notice {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

async function startWebhook() {
  const notices: Notice[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      notices.push(...(JSON.parse(body) as { readonly alerts: readonly Notice[] }).alerts);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, notices };
}

async function startRedis(): Promise<RedisServer> {
  const server = await startRedisServer();
  stops.push(() => server.stop());
  return server;
}

test("an alert reaches a webhook in the middle of the stall, with the addon, the peer's call and the line", async () => {
  const script = appPath("redis-lock.js");
  const redis = await startRedis();
  const { url, notices } = await startWebhook();
  const alertmanager = await startAlertmanager(url);
  stops.push(() => alertmanager.stop());
  const watched = await startWatched(script, {
    args: ["sync"],
    env: { REDIS_PORT: `${redis.port}` },
  });
  stops.push(() => watched.stop());
  const targets = [watched.port];
  const prometheus = await startPrometheus({ targets, rules, alertmanagerPort: alertmanager.port });
  stops.push(() => prometheus.stop());

  watched.go.letGo();
  const notice = await eventually(
    () => notices.find(({ labels }) => labels["alertname"] === "LoophoundLoopBlockedNow") ?? null,
    "the alert at the webhook",
  );
  // The application has not moved: it was told of while it was blocked.
  expect(watched.app.stdout()).not.toContain("prolonged");
  expect(notice).toMatchObject({
    status: "firing",
    labels: {
      cause: "sync-native-io",
      module: "syncredis.node",
      thread: "0",
      severity: "critical",
    },
  });
  expect(notice.labels["site"]).toMatch(new RegExp(`redis-lock\\.[jt]s:${blockingLine(script)}$`));
  expect(notice.annotations["summary"]).toContain("syncredis.node");

  const client = new Redis({ host: redis.host, port: redis.port });
  await client.rpush("lock", "token");
  client.disconnect();
  await watched.app.waitForIncident(({ state }) => state === "closed");
  const metrics = await ask(watched.port, "/metrics");
  expect(promtool(["check", "metrics"], metrics.body)).toBe("");
});
