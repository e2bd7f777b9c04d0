import { describe, expect, test } from "@jest/globals";
import type { GcKind } from "../../../agent/model/gc";
import { type Ms, ms } from "../../../agent/model/units";
import type { ThreadHandover } from "../../../agent/model/wire";
import type { ThreadDesk } from "../../../agent/thread-desk";
import { createThreadRoster, workersMax } from "../../../agent/thread-roster";
import { createMetrics } from "../../../exporters/metrics-store";

const empty = new SharedArrayBuffer(0);

const handover = (threadId: number): ThreadHandover => ({
  thread: {
    threadId,
    tid: 1000 + threadId,
    beat: empty,
    ledger: empty,
    gc: empty,
    marker: empty,
    flags: empty,
  },
  commandNames: [],
  connections: [],
  nativeFunctions: [],
});

interface ScriptedDesk extends ThreadDesk {
  /** How long a look takes. */
  tookMs: number;
  restMs: number;
  over: boolean;
  wants: boolean;
  dropped: number;
  readonly looks: Ms[];
  readonly ends: Ms[];
}

interface Clock {
  nowMs: Ms;
}

function scripted(threadId: number, clock: Clock): ScriptedDesk {
  const desk: ScriptedDesk = {
    threadId,
    tookMs: 0,
    restMs: 10,
    over: false,
    wants: false,
    dropped: 0,
    looks: [],
    ends: [],
    look(atMs) {
      desk.looks.push(atMs);
      clock.nowMs = ms(clock.nowMs + desk.tookMs);
      return ms(desk.restMs);
    },
    isOver: () => desk.over,
    wantsFastBeats: () => desk.wants,
    askForBeats: () => undefined,
    hear: () => undefined,
    health: () => ({ threadId, status: "ok", stalledForMs: 0, cause: null, culprit: null }),
    refresh: () => 1,
    totals: () => ({
      ledgerDropped: desk.dropped,
      gc: new Map<GcKind, Ms>([["major", ms(desk.dropped * 1000)]]),
    }),
    end: (atMs) => void desk.ends.push(atMs),
  };
  return desk;
}

function setUp() {
  const desks = new Map<number, ScriptedDesk>();
  const asked: number[] = [];
  const ended: number[] = [];
  const metrics = createMetrics();
  let rollCalls = 0;
  const clock: Clock = { nowMs: ms(0) };
  const made = createThreadRoster(handover(0), {
    clock: () => clock.nowMs,
    metrics,
    open({ thread }) {
      const desk = scripted(thread.threadId, clock);
      desks.set(thread.threadId, desk);
      return desk;
    },
    askFastBeats: ({ threadId }) => void asked.push(threadId),
    onPlaceFree: () => {
      rollCalls += 1;
    },
    onEnded: (threadId) => void ended.push(threadId),
  });
  const roster: typeof made = {
    ...made,
    look(atMs) {
      clock.nowMs = atMs;
      return made.look(atMs);
    },
  };
  const desk = (threadId: number): ScriptedDesk => desks.get(threadId) as ScriptedDesk;
  const value = (name: string): unknown =>
    metrics
      .families()
      .find(({ definition }) => definition.name === name)
      ?.read()
      .find(({ labels }) => labels["kind"] === undefined || labels["kind"] === "major")?.state;
  return { roster, desk, asked, ended, value, rollCalls: () => rollCalls };
}

const watchedIds = ({ roster }: ReturnType<typeof setUp>): readonly number[] =>
  roster.health().map(({ threadId }) => threadId);

describe("looks", () => {
  test("come to each thread at its own pace, and the sleep is until the next that is due", () => {
    const { roster, desk } = setUp();
    roster.join(handover(1));
    roster.look(ms(0));
    desk(1).restMs = 100;
    expect(roster.look(ms(10))).toBe(10);
    for (let at = 20; at < 100; at += 10) expect(roster.look(ms(at))).toBe(10);
    expect(desk(0).looks).toHaveLength(10);
    expect(desk(1).looks).toEqual([0, 10]);
  });

  test("of idle threads are brought together, so that they cost one wake-up", () => {
    const { roster, desk } = setUp();
    desk(0).restMs = 100;
    roster.look(ms(0));
    roster.join(handover(1));
    desk(1).restMs = 100;
    expect(roster.look(ms(30))).toBe(70);
    roster.look(ms(100));
    expect([desk(0).looks, desk(1).looks]).toEqual([
      [0, 100],
      [30, 100],
    ]);
    expect(roster.look(ms(200))).toBe(100);
    expect(desk(1).looks).toEqual([30, 100, 200]);
  });

  test("have each their own time, after the look before that took long", () => {
    const { roster, desk } = setUp();
    roster.join(handover(1));
    desk(0).tookMs = 7;
    roster.look(ms(100));
    expect([desk(0).looks, desk(1).looks]).toEqual([[100], [107]]);
  });

  test("come at once to a thread that has work, and a thread is asked once to beat fast", () => {
    const { roster, desk, asked } = setUp();
    desk(0).restMs = 100;
    roster.look(ms(0));
    desk(0).wants = true;
    roster.wake(0);
    roster.look(ms(5));
    roster.wake(0);
    roster.look(ms(6));
    expect(desk(0).looks).toEqual([0, 5, 6]);
    expect(asked).toEqual([0]);
  });
});

describe("places", () => {
  test("a worker that has ended gives its place back, and what it counted stays", () => {
    const one = setUp();
    const { roster, desk, ended, value } = one;
    roster.join(handover(1));
    roster.look(ms(0));
    desk(0).dropped = 1;
    desk(1).dropped = 5;
    desk(1).over = true;
    roster.look(ms(10));
    expect([desk(1).ends, ended, watchedIds(one)]).toEqual([[10], [1], [0]]);
    expect(roster.has(1)).toBe(false);
    roster.refresh();
    expect(value("loophound_ledger_dropped_total")).toBe(6);
    expect(value("loophound_gc_seconds_total")).toBe(6);
  });

  test("the main thread is never given up", () => {
    const one = setUp();
    one.desk(0).over = true;
    one.roster.look(ms(0));
    expect(watchedIds(one)).toEqual([0]);
  });

  test("a worker that announces itself again is the same", () => {
    const one = setUp();
    expect([one.roster.join(handover(1)), one.roster.join(handover(1))]).toEqual([true, true]);
    expect(watchedIds(one)).toEqual([0, 1]);
  });

  test("beyond the limit a worker is refused and counted, and the roll is called when a place is free", () => {
    const one = setUp();
    const { roster, desk, value, rollCalls } = one;
    for (let id = 1; id <= workersMax; id += 1) expect(roster.join(handover(id))).toBe(true);
    for (const id of [100, 101, 100]) expect(roster.join(handover(id))).toBe(false);
    expect(value("loophound_dropped_total")).toBe(2);
    expect(rollCalls()).toBe(0);
    desk(3).over = true;
    roster.look(ms(0));
    expect(rollCalls()).toBe(1);
    expect(roster.join(handover(100))).toBe(true);
    expect(roster.join(handover(101))).toBe(false);
    expect(value("loophound_dropped_total")).toBe(2);
    expect(watchedIds(one)).toHaveLength(workersMax + 1);
  });
});
