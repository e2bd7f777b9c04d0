import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { compareProcesses, compareThroughput } from "../../../bench/overhead/comparisons";
import type { Burst, Machine, ThroughputResults } from "../../../bench/overhead/raw";
import { report } from "../../../bench/overhead/report";
import { readResults } from "../../../bench/overhead/run";

/** This file runs as dist/test/unit/bench/report.test.js. */
const repository = join(__dirname, "../../../..");

const machine: Machine = {
  takenAt: "2026-01-01T00:00:00.000Z",
  node: "20.20.2",
  platform: "linux",
  arch: "x64",
  cpus: 2,
  cpu: "any",
  load: [0, 0],
};
const burst = (operations: number, threadNs: number | null): Burst => ({
  operations,
  wallNs: 1e9,
  threadNs,
  processNs: 2e9,
});
const results = (threadNs: number | null): ThroughputResults => ({
  kind: "throughput",
  workload: "w",
  machine,
  contenders: ["none", "again", "loophound"],
  generations: [1, 2].map(() => ({
    bursts: {
      none: [burst(1000, threadNs), burst(2000, threadNs)],
      again: [burst(1000, threadNs), burst(2000, threadNs)],
      loophound: [burst(900, threadNs), burst(1800, threadNs)],
    },
    rssBytes: { none: 100, again: 100, loophound: 120 },
  })),
});

test("docs/benchmarks.md is what the raw results say", () => {
  const text = readFileSync(join(repository, "docs/benchmarks.md"), "utf8");
  expect(report(readResults(join(repository, "bench/results")))).toBe(text);
});

test("a contender is compared with the plain process of the same round", () => {
  const [again, ours] = compareThroughput(results(1e9));
  expect(again?.throughput).toMatchObject({ median: 1, low: 1, high: 1 });
  expect(ours?.throughput.median).toBeCloseTo(0.9);
  expect(ours?.threadNs?.median).toBeCloseTo((1e9 / 900 - 1e6 + 1e9 / 1800 - 5e5) / 2);
  expect(ours?.rss.median).toBeCloseTo(1.2);
});

test("where the system does not tell a thread's time, the report says so", () => {
  expect(compareThroughput(results(null))[0]?.threadNs).toBeNull();
  expect(report([results(null)])).toContain("not told by this system");
});

test("a run too noisy to tell a few percent is called unstable", () => {
  const noisy = results(1e9);
  const wild = [burst(500, 1e9), burst(4000, 1e9)];
  const generations = noisy.generations.map((one) => ({
    ...one,
    bursts: { ...one.bursts, again: wild },
  }));
  expect(report([{ ...noisy, generations }])).toContain("**Unstable**");
  expect(report([noisy])).not.toContain("**Unstable**");
});

test("figures of single processes are compared with the plain one of the same round", () => {
  const runs = { none: [{ ms: 1 }, { ms: 3 }], loophound: [{ ms: 2 }, { ms: 4 }] };
  const compared = compareProcesses({ kind: "start-up", machine, runs }, "ms");
  expect(compared["loophound"]).toMatchObject({ median: 1, low: 1, high: 1 });
});
