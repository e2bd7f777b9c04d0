import { describe, expect, test } from "@jest/globals";
import type { Incident } from "../../../agent/model/incident";
import type { Answer } from "../../../exporters/http-server";
import { createMetrics } from "../../../exporters/metrics-store";
import { createPrometheus } from "../../../exporters/prometheus";
import { createRoutes, type Health } from "../../../exporters/routes";
import { incident } from "./incidents";

const stalled: Health = {
  status: "stalled",
  stalledForMs: 1234,
  cause: "sync-native-io",
  culprit: "syncredis.node (redisCommand > read)",
  pid: 42,
  uptimeSeconds: 99.5,
  threads: [
    {
      threadId: 0,
      status: "stalled",
      stalledForMs: 1234,
      cause: "sync-native-io",
      culprit: "syncredis.node (redisCommand > read)",
    },
    { threadId: 3, status: "ok", stalledForMs: 0, cause: null, culprit: null },
  ],
};

const at = (day: number): Incident =>
  incident({ startedAt: new Date(Date.UTC(2026, 0, day)).toISOString() });

/** 250 incidents, newest first; more than are served. */
const kept = Array.from({ length: 250 }, (_, i) => at(250 - i));

let isFull = false;
const noReader = (): void => undefined;

const routes = createRoutes({
  page: () => ({ body: "<!doctype html>", policy: "default-src 'none'" }),
  events: { isFull: () => isFull, add: noReader, stop: noReader },
  prometheus: createPrometheus(createMetrics()),
  health: () => stalled,
  recent: (limit) => kept.slice(0, limit),
});

async function ask(url: string, accept?: string): Promise<Answer> {
  const [path = "", query = ""] = url.split("?");
  const route = routes.get(path);
  expect(route).toBeDefined();
  return (await route?.({ query: new URLSearchParams(query), accept })) as Answer;
}

const incidents = async (query: string): Promise<Incident[]> =>
  JSON.parse((await ask(`/incidents${query}`)).body);

describe("the pages", () => {
  test("/ lists the others", async () => {
    const { status, body } = await ask("/");
    expect(status).toBe(200);
    for (const path of routes.keys()) expect(body).toContain(path);
  });

  test("/ is the live page to a browser, under its policy", async () => {
    const answer = await ask("/", "text/html,application/xhtml+xml,*/*;q=0.8");
    expect(answer.contentType).toBe("text/html; charset=utf-8");
    expect([answer.body, answer.policy]).toEqual(["<!doctype html>", "default-src 'none'"]);
  });

  test("/events streams while there is room", async () => {
    expect(await ask("/events")).toEqual({ contentType: "text/event-stream", stream: noReader });
    isFull = true;
    expect(await ask("/events")).toMatchObject({ status: 503 });
  });

  test("/healthz answers 200 with the stall in its body", async () => {
    const answer = await ask("/healthz");
    expect(answer.status).toBe(200);
    expect(answer.contentType).toBe("application/json; charset=utf-8");
    expect(JSON.parse(answer.body)).toEqual(stalled);
  });

  test("/metrics follows the Accept header", async () => {
    expect((await ask("/metrics")).contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const open = await ask("/metrics", "application/openmetrics-text;version=1.0.0");
    expect(open.contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect(open.body.endsWith("# EOF\n")).toBe(true);
  });
});

describe("/incidents", () => {
  test("gives the newest fifty, whole", async () => {
    const given = await incidents("");
    expect(given).toEqual(kept.slice(0, 50));
  });

  test("limit asks for fewer or more, up to what is kept", async () => {
    expect(await incidents("?limit=0")).toEqual([]);
    expect(await incidents("?limit=3")).toEqual(kept.slice(0, 3));
    expect(await incidents("?limit=99999")).toHaveLength(200);
  });

  test("since gives those that started at that time or later, in either notation", async () => {
    const since = Date.UTC(2026, 0, 248);
    const expected = kept.slice(0, 3).map(({ id }) => id);
    for (const text of [`${since}`, encodeURIComponent(new Date(since).toISOString())]) {
      expect((await incidents(`?since=${text}`)).map(({ id }) => id)).toEqual(expected);
    }
  });

  test.each(["?limit=-1", "?limit=x", "?limit=", "?limit=1e9", "?since=yesterday", "?since="])(
    "%s is refused",
    async (query) => {
      const answer = await ask(`/incidents${query}`);
      expect([answer.status, answer.contentType]).toEqual([400, "text/plain; charset=utf-8"]);
    },
  );
});
