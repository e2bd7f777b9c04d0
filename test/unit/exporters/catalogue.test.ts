import { describe, expect, test } from "@jest/globals";
import { catalogue, type MetricDefinition } from "../../../agent/model/catalogue";

const metrics: readonly MetricDefinition[] = Object.values(catalogue);

describe("the catalogue", () => {
  test.each(metrics.map((metric) => [metric.name, metric] as const))(
    "%s is named by its unit and type",
    (name, { type, unit, buckets }) => {
      expect(name).toMatch(/^loophound_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(/_seconds(_total)?$/.test(name)).toBe(unit === "seconds");
      expect(buckets !== undefined).toBe(type === "histogram");
    },
  );

  test("has no name twice", () => {
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  });

  test("has help that ends as a sentence and needs no escaping, labels that no format reserves", () => {
    for (const { help, labels, buckets = [] } of metrics) {
      expect(help).toMatch(/^[^"\\\n]+\.$/);
      for (const label of labels) expect(label).toMatch(/^(?!le$|quantile$|__)[a-z]+$/);
      expect([...buckets]).toEqual([...new Set(buckets)].sort((a, b) => a - b));
    }
  });

  test("the distributions tell the thresholds apart that the configuration knows", () => {
    expect(catalogue.eventLoopDelay.buckets).toEqual(expect.arrayContaining([0.02, 0.05, 2]));
    expect(catalogue.commandDuration.buckets).toEqual(expect.arrayContaining([0.05]));
  });
});
