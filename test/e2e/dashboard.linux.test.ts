// Every query of every panel, executed by a real Prometheus that has scraped a real run: each has data.

import { afterEach, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { incidentMarks, rows } from "../../scripts/generate/dashboard-panels";
import { type PrivateServer, startPrometheus } from "../support/prometheus";
import { type RedisServer, startRedisServer } from "../support/redis-server";
import { eventually } from "./support/page";
import { appPath, startWatched, type WatchedApp } from "./support/watched-app";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** As Grafana replaces them, with everything selected and windows as long as this test. */
const variables: Readonly<Record<string, string>> = {
  $__rate_interval: "1m",
  $__interval: "1m",
  $__range: "10m",
  $job: ".*",
  $instance: ".*",
  $server: ".*",
  $command: ".*",
};

const filledIn = (expr: string): string =>
  Object.entries(variables).reduce((text, [name, value]) => text.replaceAll(name, value), expr);

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly unknown[] };
}

async function ask({ port }: PrivateServer, expr: string): Promise<Answer> {
  const query = encodeURIComponent(filledIn(expr));
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${query}`);
  return (await answer.json()) as Answer;
}

const seriesCount = async (prometheus: PrivateServer, expr: string): Promise<number> =>
  (await ask(prometheus, expr)).data?.result.length ?? 0;

async function start(): Promise<{
  redis: RedisServer;
  watched: WatchedApp;
  prometheus: PrivateServer;
}> {
  const redis = await startRedisServer();
  stops.push(() => redis.stop());
  const watched = await startWatched(appPath("redis-lock.js"), {
    args: ["sync"],
    env: { REDIS_PORT: `${redis.port}` },
  });
  stops.push(() => watched.stop());
  // No alert goes anywhere: nobody listens on the port of its own.
  const targets = [watched.port];
  const prometheus = await startPrometheus({ targets, rules: "groups: []", alertmanagerPort: 9 });
  stops.push(() => prometheus.stop());
  return { redis, watched, prometheus };
}

test("every query of every panel is answered with data", async () => {
  const { redis, watched, prometheus } = await start();
  const client = new Redis({ host: redis.host, port: redis.port });
  stops.push(() => client.disconnect());
  const stalled = "loophound_stalls_total";
  // Counters that begin with their first stall show an increase from the second on.
  for (let stalls = 1; stalls <= 2; stalls++) {
    watched.go.letGo();
    await watched.stalledFor(100);
    await client.rpush("lock", "token");
    await eventually(async () => {
      const count = await seriesCount(prometheus, `sum(${stalled}) >= ${stalls}`);
      return count > 0 ? count : null;
    }, `${stalls} stalls in Prometheus`);
  }
  const queries = [
    ...rows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries)),
    { expr: incidentMarks },
  ];
  const dumb: string[] = [];
  for (const { expr } of queries) {
    const found = await eventually(async () => {
      const answer = await ask(prometheus, expr);
      if (answer.status !== "success") return answer.error ?? "refused";
      return answer.data?.result.length === 0 ? null : "data";
    }, expr).catch(() => "nothing");
    if (found !== "data") dumb.push(`${found}: ${expr}`);
  }
  expect(dumb).toEqual([]);
});
