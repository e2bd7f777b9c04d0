import { describe, expect, test } from "@jest/globals";
import type { Incident } from "../../../../agent/model/incident";
import { summarize } from "../../../../exporters/page/summarize";
import { culprit, incident, paid } from "../incidents";

const from = (...incidents: readonly Incident[]) =>
  summarize(incidents, { title: "log", madeEpochMs: 1_800_000_000_000, notes: [] });

const at = (startEpochMs: number, durationMs: number, given: Partial<Incident> = {}): Incident => {
  const stall = { startEpochMs, durationMs };
  const startedAt = new Date(startEpochMs).toISOString();
  return incident({ startedAt, durationMs, stall, stalls: [stall], ...given });
};

describe("what the page shows of a log", () => {
  test("is nothing for an empty one", () => {
    const data = from();
    expect(data.totals).toEqual({
      incidents: 0,
      stalledMs: 0,
      longestMs: 0,
      commands: 0,
      processes: 0,
    });
    expect([data.fromEpochMs, data.toEpochMs]).toEqual([data.madeEpochMs, data.madeEpochMs]);
  });

  test("reaches from the first start to the last end, in order of time", () => {
    const data = from(at(5000, 100), at(1000, 200));
    expect([data.fromEpochMs, data.toEpochMs]).toEqual([1000, 5100]);
    expect(data.stalls.map(({ startEpochMs, incident: index }) => [startEpochMs, index])).toEqual([
      [1000, 0],
      [5000, 1],
    ]);
    expect(data.totals).toMatchObject({ incidents: 2, stalledMs: 300, longestMs: 200 });
  });

  test("counts an incident once that stands open and closed, and the open one alone", () => {
    const open = at(1000, 2000, { id: "x", state: "open" });
    const closed = at(1000, 3000, { id: "x" });
    expect(from(open, closed).totals).toMatchObject({ incidents: 1, stalledMs: 3000 });
    expect(from(open).totals).toMatchObject({ incidents: 1, stalledMs: 2000 });
  });

  test("takes the same id in two processes for two incidents", () => {
    const one = at(1000, 2000, { id: "x", state: "open", pid: 1 });
    const other = at(1000, 3000, { id: "x", pid: 2 });
    expect(from(one, other).totals).toMatchObject({ incidents: 2, processes: 2 });
  });

  test("counts what was folded: each listed stall, and the rest as the average one", () => {
    const stalls = [100, 200].map((durationMs, i) => ({
      startEpochMs: 1000 + i * 500,
      durationMs,
    }));
    const data = from(at(1500, 200, { repeats: 4, stalls }));
    expect(data.totals).toMatchObject({ incidents: 4, stalledMs: 600, longestMs: 200 });
    expect(data.stalls).toHaveLength(2);
  });

  test("groups culprits by module, function, call, peer and line, dearest first", () => {
    const other = { ...culprit, symbol: "redisReconnect" };
    const data = from(at(1000, 100), at(2000, 100), at(3000, 500, { culprit: other }));
    expect(data.culprits).toMatchObject([
      { symbol: "redisReconnect", count: 1, totalMs: 500, longestMs: 500 },
      { symbol: "redisCommand", count: 2, totalMs: 200, longestMs: 100 },
    ]);
  });

  test("adds up the commands of one kind and keeps the slowest one's blame", () => {
    const data = from(
      at(1000, 100, { commands: [paid("EXPIRE", 3, 90)] }),
      at(2000, 100, { commands: [paid("EXPIRE", 4, 40), paid("TTL", 1, 99)] }),
    );
    expect(data.commands).toMatchObject([
      { command: "TTL", count: 1, longestMs: 99, server: "127.0.0.1:6379" },
      { command: "EXPIRE", count: 7, longestMs: 90, blame: { loopMs: 90 } },
    ]);
    expect(data.totals.commands).toBe(8);
  });

  test("a slow command without a stall has no bar and no stalled time", () => {
    const slow = at(1000, 400, { cause: "unknown", stall: null, stalls: [], culprit: null });
    const data = from(slow);
    expect(data.stalls).toEqual([]);
    expect(data.totals).toMatchObject({ incidents: 1, stalledMs: 0 });
    expect(data.causes).toEqual([{ cause: "unknown", count: 1, totalMs: 400, longestMs: 400 }]);
    expect(data.culprits).toEqual([]);
  });
});
