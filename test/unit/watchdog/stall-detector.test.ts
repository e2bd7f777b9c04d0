import { describe, expect, test } from "@jest/globals";
import type { Beat } from "../../../agent/base/beat-cell";
import type { LateBeat } from "../../../agent/model/stall";
import { ms } from "../../../agent/model/units";
import {
  createStallDetector,
  type Look,
  type StallDetector,
} from "../../../agent/watchdog/stall-detector";

const fastPeriodMs = ms(10);
const stallMs = ms(20);

function detector(): StallDetector {
  let id = 0;
  return createStallDetector({ threadId: 0, stallMs, fastPeriodMs, nextId: () => ++id });
}

const beatAt = (atMs: number, periodMs = 10): Beat => ({
  atMs: ms(atMs),
  idleMs: ms(0),
  periodMs: ms(periodMs),
  count: 1,
  lateCount: 0,
});

function look(nowMs: number, changes: Partial<Look> = {}): Look {
  return { nowMs: ms(nowMs), beat: beatAt(nowMs), lateBeats: [], isAsleep: null, ...changes };
}

const late = (previousBeatMs: number, beatMs: number, idleMs: number, dueMs: number): LateBeat => ({
  previousBeatMs: ms(previousBeatMs),
  beatMs: ms(beatMs),
  idleMs: ms(idleMs),
  dueMs: ms(dueMs),
});

describe("a loop that beats fast", () => {
  test("is healthy as long as beats come", () => {
    const watched = detector();
    for (let now = 0; now < 1000; now += 10) expect(watched.look(look(now))).toEqual([]);
    expect(watched.current()).toBeNull();
  });

  test("opens a stall at its last beat once the silence exceeds threshold and period", () => {
    const watched = detector();
    watched.look(look(100));
    expect(watched.look(look(130, { beat: beatAt(100) }))).toEqual([]);
    const [event] = watched.look(look(131, { beat: beatAt(100) }));
    expect(event).toMatchObject({ kind: "opened", stall: { startMs: 100, endMs: null } });
    expect(watched.look(look(140, { beat: beatAt(100) }))).toEqual([]);
  });

  test("closes it by the late beat, counting only the time that the loop was busy", () => {
    const watched = detector();
    watched.look(look(100));
    watched.look(look(140, { beat: beatAt(100) }));
    const events = watched.look(
      look(412, { beat: beatAt(410), lateBeats: [late(100, 410, 6, 110)] }),
    );
    expect(events).toMatchObject([
      { kind: "closed", wasSeenLive: true, stall: { id: 1, startMs: 106, endMs: 410 } },
    ]);
    expect(watched.current()).toBeNull();
  });

  test("dismisses an opened stall that turns out shorter than the threshold", () => {
    const watched = detector();
    watched.look(look(100));
    watched.look(look(135, { beat: beatAt(100) }));
    const events = watched.look(
      look(137, { beat: beatAt(136), lateBeats: [late(100, 136, 20, 125)] }),
    );
    expect(events).toMatchObject([{ kind: "dismissed", stall: { id: 1 } }]);
  });

  test("tells of a stall that ended before the watchdog looked", () => {
    const watched = detector();
    watched.look(look(100));
    const events = watched.look(
      look(400, { beat: beatAt(395), lateBeats: [late(100, 350, 5, 110)] }),
    );
    expect(events).toMatchObject([{ kind: "closed", wasSeenLive: false, stall: { startMs: 105 } }]);
  });

  test("reports two stalls between two looks apart", () => {
    const watched = detector();
    watched.look(look(100));
    const lateBeats = [late(100, 200, 5, 110), late(200, 300, 5, 210)];
    const kinds = watched.look(look(305, { beat: beatAt(300), lateBeats }));
    expect(kinds.map((event) => event.stall.startMs)).toEqual([105, 205]);
    expect(new Set(kinds.map((event) => event.stall.id)).size).toBe(2);
  });

  test("begins a lost sleep (stopped, starved) when the beat was due", () => {
    const watched = detector();
    watched.look(look(100));
    const events = watched.look(
      look(5002, { beat: beatAt(5000), lateBeats: [late(100, 5000, 4899, 110)] }),
    );
    expect(events).toMatchObject([{ kind: "closed", stall: { startMs: 110, endMs: 5000 } }]);
  });
});

describe("a loop that beats slowly", () => {
  const slow = (nowMs: number, isAsleep: boolean | null, beatMs = 0): Look =>
    look(nowMs, { beat: beatAt(beatMs, 500), isAsleep });

  test("is healthy while it sleeps, however old its beat", () => {
    const watched = detector();
    for (let now = 0; now < 490; now += 25) expect(watched.look(slow(now, true))).toEqual([]);
    expect(watched.silenceMs()).toBe(0);
    expect(watched.wantsFastBeats()).toBe(false);
  });

  test("is asked for fast beats first, and stalled only if it does not answer", () => {
    const watched = detector();
    watched.look(slow(100, true));
    expect(watched.look(slow(125, false))).toEqual([]);
    expect([watched.isInDoubt(), watched.wantsFastBeats()]).toEqual([true, false]);
    expect(watched.look(slow(135, false))).toEqual([]);
    expect(watched.wantsFastBeats()).toBe(true);
    expect(watched.look(slow(145, false))).toMatchObject([
      { kind: "opened", stall: { startMs: 100 } },
    ]);
  });

  test("answers in time and stays healthy", () => {
    const watched = detector();
    watched.look(slow(100, true));
    watched.look(slow(135, false));
    expect(watched.look(look(140, { beat: beatAt(138), isAsleep: false }))).toEqual([]);
    expect(watched.current()).toBeNull();
  });

  test("cannot have been blocked before it was last seen asleep", () => {
    const watched = detector();
    watched.look(slow(300, true));
    watched.look(slow(325, false));
    watched.look(slow(335, false));
    watched.look(slow(345, false));
    const events = watched.look(
      look(402, {
        beat: beatAt(400),
        lateBeats: [late(0, 400, 250, 500)],
        isAsleep: false,
      }),
    );
    expect(events).toMatchObject([{ kind: "closed", stall: { startMs: 300, endMs: 400 } }]);
  });
});

test("before the first beat nothing is judged", () => {
  expect(detector().look(look(10_000, { beat: null, isAsleep: false }))).toEqual([]);
});

test("an open stall ends with sleep if the heartbeat itself is gone", () => {
  const watched = detector();
  watched.look(look(100));
  watched.look(look(150, { beat: beatAt(100), isAsleep: false }));
  const events = watched.look(look(200, { beat: beatAt(100), isAsleep: true }));
  expect(events).toMatchObject([{ kind: "closed", stall: { startMs: 100, endMs: 200 } }]);
});

test("a late beat that comes after sleep has ended its stall tells of no second one", () => {
  const watched = detector();
  watched.look(look(100));
  watched.look(look(140, { beat: beatAt(100), isAsleep: false }));
  const [ended] = watched.look(look(300, { beat: beatAt(100), isAsleep: true }));
  expect(ended).toMatchObject({ kind: "closed", stall: { id: 1 } });
  const lateBeats = [late(100, 299, 1, 110)];
  expect(watched.look(look(301, { beat: beatAt(299), lateBeats, isAsleep: true }))).toEqual([]);
});

test("after a stall that sleep has ended the next one is told of", () => {
  const watched = detector();
  watched.look(look(100));
  watched.look(look(140, { beat: beatAt(100), isAsleep: false }));
  watched.look(look(300, { beat: beatAt(100), isAsleep: true }));
  const lateBeats = [late(310, 400, 1, 320)];
  const [event] = watched.look(look(401, { beat: beatAt(400), lateBeats }));
  expect(event).toMatchObject({ kind: "closed", stall: { id: 2, endMs: 400 } });
});
