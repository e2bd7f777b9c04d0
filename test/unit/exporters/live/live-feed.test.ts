import { describe, expect, test } from "@jest/globals";
import { ms } from "../../../../agent/model/units";
import { createLiveFeed } from "../../../../exporters/live/live-feed";
import { incident } from "../incidents";

function feedAt(clock: { now: number }) {
  return createLiveFeed({
    nowMs: () => ms(clock.now),
    toEpochMs: (at) => at + 1_000_000,
    pid: 7,
    threads: () => [{ threadId: 0, status: "ok", stalledForMs: 0, cause: null, culprit: null }],
  });
}

describe("the live feed", () => {
  test("gives a new reader all that is kept, and then only what is new", () => {
    const feed = feedAt({ now: 5000 });
    feed.stall(incident());
    feed.incident(incident({ id: "a" }));
    const read = feed.reader();
    expect(read()).toMatchObject({
      nowEpochMs: 1_005_000,
      monotonicEpochMs: 1_000_000,
      pid: 7,
      stalls: [{ cause: "sync-native-io", threadId: 0 }],
      incidents: [{ id: "a" }],
    });
    feed.incident(incident({ id: "b" }));
    const second = read();
    expect(second.incidents.map(({ id }) => id)).toEqual(["b"]);
    expect(second.stalls).toEqual([]);
    expect(
      feed
        .reader()()
        .incidents.map(({ id }) => id),
    ).toEqual(["a", "b"]);
  });

  test("gives the second that is not over yet again, whole", () => {
    const clock = { now: 5200 };
    const feed = feedAt(clock);
    const settled = feed.traffic.meter(() => "server");
    const reply = (repliedMs: number): void =>
      settled(
        {
          commandId: 1,
          connectionId: 1,
          calledMs: ms(repliedMs - 1),
          sentMs: null,
          repliedMs: ms(repliedMs),
        },
        0,
      );
    reply(4500);
    reply(5100);
    const read = feed.reader();
    expect(read().servers[0]?.seconds.map(({ second, count }) => [second, count])).toEqual([
      [4, 1],
      [5, 1],
    ]);
    reply(5150);
    clock.now = 5700;
    expect(read().servers[0]?.seconds.map(({ second, count }) => [second, count])).toEqual([
      [5, 2],
    ]);
    clock.now = 6100;
    read();
    expect(read().servers).toEqual([]);
  });

  test("a slow command without a stall is no stall", () => {
    const feed = feedAt({ now: 0 });
    feed.stall(incident({ stall: null }));
    expect(feed.reader()().stalls).toEqual([]);
  });

  test("keeps the newest two hundred incidents", () => {
    const feed = feedAt({ now: 0 });
    for (let i = 0; i < 300; i++) feed.incident(incident({ id: `${i}` }));
    const kept = feed.reader()().incidents;
    expect([kept.length, kept[0]?.id, kept.at(-1)?.id]).toEqual([200, "100", "299"]);
  });
});
