import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createLimiter } from "../../../agent/base/limiter";
import { ms } from "../../../agent/model/units";

describe("createLimiter", () => {
  test("gives its burst at once and then refuses", () => {
    const limiter = createLimiter(3, ms(1000));
    expect([1, 2, 3, 4].map(() => limiter.take(ms(0)))).toEqual([true, true, true, false]);
  });

  test("refills evenly, and never beyond the burst", () => {
    const limiter = createLimiter(2, ms(1000));
    limiter.take(ms(0));
    limiter.take(ms(0));
    expect(limiter.take(ms(499))).toBe(false);
    expect(limiter.take(ms(500))).toBe(true);
    expect([1, 2, 3].map(() => limiter.take(ms(60_000)))).toEqual([true, true, false]);
  });

  test("counts what it refused, until asked", () => {
    const limiter = createLimiter(1, ms(1000));
    for (let i = 0; i < 5; i++) limiter.take(ms(0));
    expect(limiter.drainRefused()).toBe(4);
    expect(limiter.drainRefused()).toBe(0);
  });

  test("gives in no time span more than the burst and what was refilled in it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (gaps) => {
        const limiter = createLimiter(5, ms(1000));
        let now = 0;
        let taken = 0;
        for (const gap of gaps) {
          now += gap;
          if (limiter.take(ms(now))) taken++;
        }
        const firstGap = gaps[0] ?? 0;
        expect(taken).toBeLessThanOrEqual(5 + ((now - firstGap) / 1000) * 5 + 1e-6);
      }),
    );
  });
});
