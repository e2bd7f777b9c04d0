import { describe, expect, test } from "@jest/globals";
import { atLeast, atMost, estimate, median, quantile } from "../../../bench/overhead/stats";

test("a quantile lies between the values around it", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10], 0.99)).toBe(10);
  expect(median([])).toBeNaN();
});

describe("an estimate", () => {
  const around = (middle: number, spread: number) =>
    Array.from({ length: 50 }, (_, i) => middle + spread * Math.sin(i));

  test("is the same for the same samples, and holds its median", () => {
    const groups = [around(1, 0.1), around(1.02, 0.1)];
    const first = estimate(groups);
    expect(estimate(groups)).toEqual(first);
    expect(first.samples).toBe(100);
    expect(first.low).toBeLessThanOrEqual(first.median);
    expect(first.high).toBeGreaterThanOrEqual(first.median);
  });

  test("is as uncertain as its processes differ, however many samples each has", () => {
    const alike = estimate([around(1, 0.01), around(1, 0.01), around(1, 0.01)]);
    const different = estimate([around(0.8, 0.01), around(1, 0.01), around(1.2, 0.01)]);
    expect(different.high - different.low).toBeGreaterThan(10 * (alike.high - alike.low));
  });

  test("of nothing is no number", () => {
    expect(estimate([[], []])).toEqual({ median: NaN, low: NaN, high: NaN, samples: 0 });
  });
});

test("a bar is met or missed by the whole interval, or not decided", () => {
  const between = (low: number, high: number) => ({
    median: (low + high) / 2,
    low,
    high,
    samples: 9,
  });
  expect(atLeast(between(0.985, 1.01), 0.98)).toBe("met");
  expect(atLeast(between(0.9, 0.95), 0.98)).toBe("missed");
  expect(atLeast(between(0.9, 1.01), 0.98)).toBe("not decided");
  expect(atMost(between(100, 200), 300)).toBe("met");
  expect(atMost(between(310, 400), 300)).toBe("missed");
  expect(atMost(between(200, 400), 300)).toBe("not decided");
});
