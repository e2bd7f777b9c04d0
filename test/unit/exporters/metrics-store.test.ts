import { describe, expect, test } from "@jest/globals";
import { catalogue, type MetricKey } from "../../../agent/model/catalogue";
import { causes } from "../../../agent/model/cause";
import { type Ms, ms } from "../../../agent/model/units";
import { createMetrics, type MetricsStore } from "../../../exporters/metrics-store";
import { culprit } from "./incidents";

const read = (metrics: MetricsStore, key: MetricKey) =>
  metrics
    .families()
    .find(({ definition }) => definition.name === catalogue[key].name)
    ?.read() ?? [];

/** The one series whose labels hold all those given. */
const stateOf = (metrics: MetricsStore, key: MetricKey, labels: Record<string, string> = {}) => {
  const found = read(metrics, key).filter((series) =>
    Object.entries(labels).every(([label, value]) => series.labels[label] === value),
  );
  expect(found).toHaveLength(1);
  return found[0]?.state;
};

const numbered = (commandId: number, connectionId: number) => ({ commandId, connectionId });

describe("stalls", () => {
  test("the gauges rise while one goes on and fall when it ends", () => {
    const metrics = createMetrics();
    expect(stateOf(metrics, "stalled", { thread: "0" })).toBe(0);
    metrics.stalled(0, { ageMs: ms(40), cause: "unknown", culprit: null });
    metrics.stalled(0, { ageMs: ms(2040), cause: "sync-native-io", culprit });
    expect(read(metrics, "currentStall")).toHaveLength(1);
    expect(stateOf(metrics, "currentStall", { module: "syncredis.node", thread: "0" })).toBe(2.04);
    expect(stateOf(metrics, "stalled")).toBe(1);
    expect(stateOf(metrics, "stallAge")).toBe(2.04);
    metrics.stallClosed(0, ms(2100), "sync-native-io", culprit);
    expect(stateOf(metrics, "stalled")).toBe(0);
    expect(stateOf(metrics, "stallAge")).toBe(0);
    expect(read(metrics, "currentStall")).toEqual([]);
  });

  test("count by thread and cause, and their time by what held the loop", () => {
    const metrics = createMetrics();
    metrics.stallClosed(0, ms(300), "sync-native-io", culprit);
    metrics.stallClosed(0, ms(200), "sync-native-io", culprit);
    metrics.stallClosed(0, ms(50), "gc", null);
    expect(stateOf(metrics, "stalls", { thread: "0", cause: "sync-native-io" })).toBe(2);
    expect(stateOf(metrics, "stalledSeconds", { cause: "sync-native-io" })).toBeCloseTo(0.5);
    expect(
      stateOf(metrics, "blockedSeconds", {
        module: "syncredis.node",
        function: "redisCommand",
        syscall: "read",
        site: "/app/session.js:42",
      }),
    ).toBeCloseTo(0.5);
    expect(stateOf(metrics, "blockedSeconds", { module: "", site: "" })).toBeCloseTo(0.05);
  });

  test("a storm of sites fills the kept series and then `other`, losing no time", () => {
    const metrics = createMetrics();
    for (let line = 0; line < 1000; line++) {
      const site = { function: null, file: "/app/generated.js", line, column: null };
      metrics.stallClosed(0, ms(1), "js-cpu", { ...culprit, site });
    }
    const series = read(metrics, "blockedSeconds");
    expect(series).toHaveLength(catalogue.blockedSeconds.seriesMax + 1);
    expect(stateOf(metrics, "blockedSeconds", { site: "other", module: "other" })).toBeCloseTo(0.8);
    const total = series.reduce((sum, { state }) => sum + (state as number), 0);
    expect(total).toBeCloseTo(1);
  });
});

describe("commands", () => {
  test("are told apart by client, command and server, whatever their numbers", () => {
    const metrics = createMetrics();
    const meter = metrics.commandMeter(({ commandId, connectionId }) => ({
      client: "ioredis",
      command: commandId === 1 ? "GET" : "SET",
      server: connectionId < 10 ? "a:6379" : "b:6379",
    }));
    for (const connectionId of [1, 2, 11]) meter.observe(numbered(1, connectionId), ms(3));
    meter.observe(numbered(2, 1), ms(700));
    const reading = stateOf(metrics, "commandDuration", { command: "GET", server: "a:6379" });
    expect(reading).toMatchObject({ count: 2, sum: 0.006 });
    expect(read(metrics, "commandDuration")).toHaveLength(3);
  });

  test("one that cannot be named yet counts as unknown, and the next by its name", () => {
    const metrics = createMetrics();
    let names: { client: string; command: string; server: string } | null = null;
    const meter = metrics.commandMeter(() => names);
    meter.observe(numbered(1, 1), ms(1));
    names = { client: "ioredis", command: "GET", server: "a:1" };
    meter.observe(numbered(1, 1), ms(1));
    expect(stateOf(metrics, "commandDuration", { command: "unknown" })).toMatchObject({ count: 1 });
    expect(stateOf(metrics, "commandDuration", { command: "GET" })).toMatchObject({ count: 1 });
  });

  test("asks for names once a pair, and stays bounded under a churn of connections", () => {
    const metrics = createMetrics();
    let asked = 0;
    const meter = metrics.commandMeter(({ commandId }) => {
      asked += 1;
      return { client: "ioredis", command: `C${commandId}`, server: "a:1" };
    });
    for (let i = 0; i < 1000; i++) meter.observe(numbered(i % 3, 7), ms(1));
    expect(asked).toBe(3);
    for (let i = 0; i < 20_000; i++) meter.observe(numbered(1, i), ms(1));
    expect(read(metrics, "commandDuration")).toHaveLength(3);
    expect(stateOf(metrics, "commandDuration", { command: "C1" })).toMatchObject({ count: 20_333 });
  });

  test("a flood of names ends in `other`, losing no command", () => {
    const metrics = createMetrics();
    const meter = metrics.commandMeter(({ commandId }) => ({
      client: "ioredis",
      command: `\u001b]${commandId}${"x".repeat(commandId % 7)}`,
      server: "a:1",
    }));
    for (let i = 0; i < 5000; i++) meter.observe(numbered(i, 1), ms(1));
    const series = read(metrics, "commandDuration");
    expect(series).toHaveLength(catalogue.commandDuration.seriesMax + 1);
    const counts = series.map(({ state }) => (state as { count: number }).count);
    expect(counts.reduce((a, b) => a + b)).toBe(5000);
  });

  test("blame adds up by part, and what is less than nothing adds nothing", () => {
    const metrics = createMetrics();
    const nothing = {
      queueMs: 0,
      networkMs: 0,
      serverMs: 0,
      intendedMs: 0,
      unknownMs: 0,
      loopMs: 0,
    };
    metrics.blame({ ...nothing, loopMs: 300, queueMs: 5 });
    metrics.blame({ ...nothing, loopMs: 200, queueMs: -5 });
    expect(stateOf(metrics, "commandBlame", { part: "loop" })).toBeCloseTo(0.5);
    expect(stateOf(metrics, "commandBlame", { part: "queue" })).toBeCloseTo(0.005);
    expect(stateOf(metrics, "commandBlame", { part: "intended" })).toBe(0);
  });
});

describe("totals that are counted elsewhere", () => {
  test("are taken as they stand, and never go back", () => {
    const metrics = createMetrics();
    metrics.ledgerDropped(7);
    metrics.ledgerDropped(5);
    metrics.gcTotals(new Map([["major", ms(1500)]] as [["major", Ms]]));
    metrics.internalErrors(new Map([["http", 2]]));
    metrics.dropped("log-line", 2);
    metrics.dropped("log-line", 3);
    metrics.commandsOpen(4);
    metrics.commandsOpen(1);
    expect(stateOf(metrics, "ledgerDropped")).toBe(7);
    expect(stateOf(metrics, "gcSeconds", { kind: "major" })).toBe(1.5);
    expect(stateOf(metrics, "internalErrors", { room: "http" })).toBe(2);
    expect(stateOf(metrics, "dropped", { what: "log-line" })).toBe(5);
    expect(stateOf(metrics, "commandsOpen")).toBe(1);
  });

  test("each cause is there from the start, so that its first incident shows as a rise", () => {
    expect(read(createMetrics(), "incidents").map(({ labels }) => labels["cause"])).toEqual([
      ...causes,
    ]);
  });

  test("a late beat weighs as much as the beats that it prevented", () => {
    const metrics = createMetrics();
    for (let i = 0; i < 50; i++) metrics.observeDelay(0, ms(0.1), ms(20));
    metrics.observeDelay(0, ms(1000), ms(20));
    expect(stateOf(metrics, "eventLoopDelay")).toMatchObject({ count: 100 });
  });
});

test("AMQP heartbeats that were missed count by server, and ends by their reason", () => {
  const metrics = createMetrics();
  metrics.amqpHeartbeatsMissed("10.0.0.1:5672", 3);
  metrics.amqpHeartbeatsMissed("10.0.0.1:5672", 0);
  metrics.amqpHeartbeatsMissed("10.0.0.2:5672", 1);
  expect(stateOf(metrics, "amqpHeartbeatsMissed", { server: "10.0.0.1:5672" })).toBe(3);
  metrics.amqpClosed("10.0.0.1:5672", "channel", "NOT_FOUND");
  metrics.amqpClosed("10.0.0.1:5672", "connection", "ECONNRESET");
  metrics.amqpClosed("10.0.0.1:5672", "channel", "NOT_FOUND");
  expect(stateOf(metrics, "amqpClosed", { what: "channel", reason: "NOT_FOUND" })).toBe(2);
  expect(stateOf(metrics, "amqpClosed", { what: "connection" })).toBe(1);
});

describe("threads that have ended", () => {
  test("no longer stall; what they counted stays until newer ones have ended", () => {
    const metrics = createMetrics();
    for (let id = 1; id <= 20; id += 1) {
      metrics.observeDelay(id, ms(0), ms(10));
      metrics.stallClosed(id, ms(100), "sync-core-api", culprit);
      metrics.threadEnded(id);
    }
    const threads = (key: MetricKey): readonly string[] =>
      read(metrics, key).map(({ labels }) => labels["thread"] ?? "");
    expect(threads("stalled")).toEqual(["0"]);
    expect(threads("stallAge")).toEqual(["0"]);
    const kept = Array.from({ length: 16 }, (_, i) => `${i + 5}`);
    expect(threads("stalls")).toEqual(kept);
    expect(threads("blockedSeconds")).toEqual(kept);
    expect(threads("eventLoopDelay")).toEqual(["0", ...kept]);
  });
});
