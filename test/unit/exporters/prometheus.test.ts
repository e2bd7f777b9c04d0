import { describe, expect, test } from "@jest/globals";
import { catalogue } from "../../../agent/model/catalogue";
import { ms } from "../../../agent/model/units";
import { createMetrics } from "../../../exporters/metrics-store";
import { createPrometheus } from "../../../exporters/prometheus";
import { readExposition } from "./exposition";
import { culprit } from "./incidents";

const openMetrics = "application/openmetrics-text;version=1.0.0";

function filled() {
  const metrics = createMetrics();
  const meter = metrics.commandMeter(({ commandId }) => ({
    client: "ioredis",
    command: `C${commandId}`,
    server: 'h"o\\s\nt:1',
  }));
  for (let i = 0; i < 500; i++) meter.observe({ commandId: i, connectionId: 1 }, ms(i));
  metrics.stallClosed(0, ms(312.4), "sync-native-io", culprit);
  metrics.stallClosed(0, ms(100), "gc", null);
  metrics.incident("sync-native-io");
  metrics.agentInfo({ version: "0.1.0", node: "v20", platform: "linux", arch: "x64" });
  return metrics;
}

describe.each([
  ["text", undefined, "text/plain; version=0.0.4; charset=utf-8"],
  ["openmetrics", openMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8"],
] as const)("as %s", (format, accept, contentType) => {
  test("every metric of the catalogue is there once, with its help and type", async () => {
    const answer = await createPrometheus(filled()).render(accept);
    expect(answer.contentType).toBe(contentType);
    const families = readExposition(answer.body, format);
    const named = Object.values(catalogue).map(({ name, type, help }) => ({
      name: format === "openmetrics" ? name.replace(/_total$/, "") : name,
      type,
      help,
    }));
    expect([...families.values()].map(({ name, type, help }) => ({ name, type, help }))).toEqual(
      named,
    );
  });

  test("values and hostile labels come through", async () => {
    const { body } = await createPrometheus(filled()).render(accept);
    const families = readExposition(body, format);
    const counter = format === "openmetrics" ? "loophound_stalls" : "loophound_stalls_total";
    expect(families.get(counter)?.samples).toContainEqual({
      name: "loophound_stalls_total",
      labels: { thread: "0", cause: "gc" },
      value: 1,
    });
    const durations = families.get("loophound_command_duration_seconds")?.samples ?? [];
    expect(durations).toContainEqual({
      name: "loophound_command_duration_seconds_sum",
      labels: { client: "ioredis", command: "C20", server: 'h"o\\s\\u000at:1' },
      value: 0.02,
    });
  });
});

describe("createPrometheus", () => {
  test("three scrapes see the same, and then what came meanwhile", async () => {
    const metrics = filled();
    const prometheus = createPrometheus(metrics);
    const first = await prometheus.render(undefined);
    expect(await prometheus.render(undefined)).toEqual(first);
    metrics.observeWatchdogDelay(ms(3));
    const third = readExposition((await prometheus.render(undefined)).body, "text");
    const samples = third.get("loophound_watchdog_delay_seconds")?.samples;
    expect(samples?.find(({ name }) => name.endsWith("_count"))?.value).toBe(1);
  });

  test("a scraper of one format does not change the names in the other", async () => {
    const prometheus = createPrometheus(filled());
    const before = await prometheus.render("text/plain");
    await prometheus.render(openMetrics);
    await prometheus.render(openMetrics);
    expect(await prometheus.render("text/plain")).toEqual(before);
  });
});
