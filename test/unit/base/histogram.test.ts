import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createHistogram } from "../../../agent/base/histogram";

const bounds = [1, 2, 5, 10, 100];

function filled(values: readonly number[]) {
  const histogram = createHistogram(bounds);
  for (const value of values) histogram.observe(value);
  return histogram;
}

describe("createHistogram", () => {
  test("an upper bound belongs to its bucket", () => {
    expect(filled([1, 1.5, 2, 10, 101]).read()).toEqual({
      cumulative: [1, 3, 3, 4, 4],
      sum: 115.5,
      count: 5,
    });
  });

  test("a negative value counts as nothing, NaN not at all", () => {
    expect(filled([-3, Number.NaN]).read()).toEqual({
      cumulative: [1, 1, 1, 1, 1],
      sum: 0,
      count: 1,
    });
  });

  test("reading three times in a row gives the same, and then goes on", () => {
    const histogram = filled([1, 7]);
    const first = histogram.read();
    expect(histogram.read()).toEqual(first);
    histogram.observe(7);
    expect(histogram.read()).toEqual({ cumulative: [1, 1, 1, 3, 3], sum: 15, count: 3 });
  });

  test("counts for any values what a filter of the values counts", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true })), (values) => {
        const { cumulative, count } = filled(values).read();
        expect(count).toBe(values.length);
        expect(cumulative).toEqual(bounds.map((b) => values.filter((v) => v <= b).length));
      }),
    );
  });

  test("two merged are as one that has seen all", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200 })),
        fc.array(fc.integer({ min: 0, max: 200 })),
        (a, b) => {
          const merged = filled(a);
          merged.merge(filled(b));
          expect(merged.read()).toEqual(filled([...a, ...b]).read());
        },
      ),
    );
  });

  test("refuses to merge other bounds", () => {
    expect(() => filled([]).merge(createHistogram([1, 2]))).toThrow(RangeError);
    expect(() => filled([]).merge(createHistogram([1, 2, 5, 10, 99]))).toThrow(RangeError);
  });
});

describe("observeEvery", () => {
  test("a late beat brings those that it prevented", () => {
    const histogram = createHistogram(bounds);
    histogram.observeEvery(50, 20);
    // 50, 30 and 10: the third beat would still have been late.
    expect(histogram.read()).toEqual({ cumulative: [0, 0, 0, 1, 3], sum: 90, count: 3 });
  });

  test("a punctual beat is one value", () => {
    const histogram = createHistogram(bounds);
    histogram.observeEvery(0, 20);
    histogram.observeEvery(20, 20);
    expect(histogram.read()).toEqual({ cumulative: [1, 1, 1, 1, 2], sum: 20, count: 2 });
  });

  test("equals the beats counted one by one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (value, interval) => {
          const closed = createHistogram(bounds);
          closed.observeEvery(value, interval);
          const oneByOne = [value];
          for (let late = value - interval; late > 0; late -= interval) oneByOne.push(late);
          expect(closed.read()).toEqual(filled(oneByOne).read());
        },
      ),
    );
  });

  test("an interval that makes no sense leaves one value", () => {
    for (const interval of [0, -1, Number.NaN]) {
      const histogram = createHistogram(bounds);
      histogram.observeEvery(3, interval);
      expect(histogram.read().count).toBe(1);
    }
    const histogram = createHistogram(bounds);
    histogram.observeEvery(Number.NaN, 20);
    expect(histogram.read().count).toBe(0);
  });
});
