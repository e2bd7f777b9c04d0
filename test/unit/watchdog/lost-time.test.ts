import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createLostTime } from "../../../agent/watchdog/lost-time";

test("keeps what the watchdog lost, and gives the part that overlaps", () => {
  const lost = createLostTime();
  lost.note(ms(100), ms(9));
  lost.note(ms(200), ms(50));
  lost.note(ms(400), ms(20));
  expect(lost.overlapping(ms(0), ms(149))).toEqual([]);
  expect(lost.overlapping(ms(0), ms(160))).toEqual([{ startMs: 150, endMs: 200 }]);
  expect(lost.overlapping(ms(190), ms(390))).toHaveLength(2);
});

test("is bounded: the oldest go", () => {
  const lost = createLostTime();
  for (let at = 1; at <= 200; at += 1) lost.note(ms(at * 100), ms(50));
  const kept = lost.overlapping(ms(0), ms(1e6));
  expect(kept).toHaveLength(64);
  expect(kept.at(-1)?.endMs).toBe(20_000);
});
