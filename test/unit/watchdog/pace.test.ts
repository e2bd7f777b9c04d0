import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createPace } from "../../../agent/watchdog/pace";

const at = (nowMs: number, isResting: boolean, silenceMs = 0) => ({
  nowMs: ms(nowMs),
  silenceMs: ms(silenceMs),
  isResting,
});

test("a busy loop is looked at as often as it beats", () => {
  expect(createPace()(at(0, false))).toBe(10);
});

test("a resting loop is looked at more rarely, an idle one more rarely still", () => {
  const pace = createPace();
  expect(pace(at(0, true))).toBe(25);
  expect(pace(at(9_999, true))).toBe(25);
  expect(pace(at(10_000, true))).toBe(100);
});

test("any sign of work brings the fast pace back, and rest starts anew", () => {
  const pace = createPace();
  pace(at(0, true));
  pace(at(20_000, true));
  expect(pace(at(20_100, false))).toBe(10);
  expect(pace(at(20_110, true))).toBe(25);
});

test("a long stall is sampled more rarely", () => {
  const pace = createPace();
  expect(pace(at(0, false, 1000))).toBe(10);
  expect(pace(at(0, false, 1001))).toBe(50);
});
