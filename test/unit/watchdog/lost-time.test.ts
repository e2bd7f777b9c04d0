import { expect, test } from "@jest/globals";
import { ms } from "../../../agent/model/units";
import { createLostTime } from "../../../agent/watchdog/lost-time";

test("keeps what the watchdog lost, and gives the part that overlaps", () => {
  const lost = createLostTime(() => null);
  lost.note(ms(100), ms(9));
  lost.note(ms(200), ms(50));
  lost.note(ms(400), ms(20));
  expect(lost.overlapping(ms(0), ms(149))).toEqual([]);
  expect(lost.overlapping(ms(0), ms(160))).toEqual([{ startMs: 150, endMs: 200, waitedMs: 0 }]);
  expect(lost.overlapping(ms(190), ms(390))).toHaveLength(2);
});

test("is bounded: the oldest go", () => {
  const lost = createLostTime(() => null);
  for (let at = 1; at <= 200; at += 1) lost.note(ms(at * 100), ms(50));
  const kept = lost.overlapping(ms(0), ms(1e6));
  expect(kept).toHaveLength(64);
  expect(kept.at(-1)?.endMs).toBe(20_000);
});

test("tells how much of it the watchdog waited for a CPU, and not what it waited long before", () => {
  let totalMs = 5;
  let reads = 0;
  const lost = createLostTime(() => {
    reads += 1;
    return ms(totalMs);
  });
  lost.note(ms(100), ms(0));
  totalMs = 300;
  for (let at = 110; at <= 1100; at += 10) lost.note(ms(at), ms(1));
  expect(reads).toBe(2);
  totalMs = 340;
  lost.note(ms(1200), ms(50));
  expect(lost.overlapping(ms(0), ms(1e6))).toEqual([{ startMs: 1150, endMs: 1200, waitedMs: 40 }]);
});
