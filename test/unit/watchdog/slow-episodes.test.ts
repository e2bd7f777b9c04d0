import { expect, test } from "@jest/globals";
import type { Cause } from "../../../agent/model/cause";
import { ms } from "../../../agent/model/units";
import { createSlowEpisodes, type SlowRecord } from "../../../agent/watchdog/slow-episodes";

const nothing = {
  queueMs: 0,
  networkMs: 0,
  serverMs: 0,
  loopMs: 0,
  intendedMs: 0,
  unknownMs: 0,
};

function slow(
  calledMs: number,
  settledMs: number,
  cause: Cause = "server-slow",
  server = "a",
): SlowRecord {
  const blame = { ...nothing, serverMs: settledMs - calledMs };
  return {
    record: {
      sequence: 1,
      command: "TTL",
      connection: null,
      state: "replied",
      calledMs: ms(calledMs),
      sentMs: ms(calledMs),
      repliedMs: ms(settledMs),
      ahead: 0,
      askedMs: null,
    },
    server,
    settledMs: ms(settledMs),
    verdict: { cause, confidence: 0.9, parts: { blame, uncertaintyMs: 0 }, evidence: [] },
  };
}

const create = () => {
  let number = 0;
  return createSlowEpisodes(() => ++number);
};
const nobody = () => false;

test("commands that one silence held up are one incident, told when it is over", () => {
  const episodes = create();
  for (let i = 0; i < 40; i++) episodes.add(slow(1000 + i * 10, 1400));
  expect(episodes.take(ms(1600), nobody)).toEqual([]);
  const told = episodes.take(ms(1700), nobody);
  expect(told).toMatchObject([
    {
      state: "closed",
      startMs: 1000,
      endMs: 1400,
      commands: [{ command: "TTL", count: 40, maxMs: 400 }],
    },
  ]);
  expect(episodes.take(ms(1800), nobody)).toEqual([]);
});

test("two causes at once, or two servers, stay apart", () => {
  const episodes = create();
  episodes.add(slow(1000, 1400));
  episodes.add(slow(1000, 1400, "client-queue"));
  episodes.add(slow(1000, 1400, "server-slow", "b"));
  expect(
    episodes
      .take(ms(1700), nobody)
      .map(({ verdict }) => verdict.cause)
      .sort(),
  ).toEqual(["client-queue", "server-slow", "server-slow"]);
});

test("what goes on is told once as open, and closed under the same number", () => {
  const episodes = create();
  const open = episodes.announce(slow(1000, 3000));
  expect(open).toMatchObject({ state: "open", startMs: 1000 });
  expect(episodes.announce(slow(1010, 3010))).toBeNull();
  expect(episodes.take(ms(3100), () => true)).toEqual([]);
  episodes.add(slow(1000, 3500));
  expect(episodes.take(ms(3800), nobody)).toMatchObject([
    { state: "closed", number: open?.number, startMs: 1000, endMs: 3500 },
  ]);
});

test("what was told as open is closed even if its commands are never heard of again", () => {
  const episodes = create();
  const open = episodes.announce(slow(1000, 3000));
  expect(episodes.take(ms(4000), nobody)).toMatchObject([
    { state: "closed", number: open?.number, endMs: 4000 },
  ]);
  expect(episodes.take(ms(5000), nobody)).toEqual([]);
});

test("one that never ends is told in pieces, each as open while it goes on", () => {
  const episodes = create();
  const told: string[] = [];
  for (let at = 0; at < 130_000; at += 50) {
    episodes.add(slow(at, at + 100));
    for (const { number, state } of episodes.take(ms(at + 100), () => true)) {
      told.push(`${number} ${state}`);
    }
  }
  expect(told).toEqual(["1 open", "1 closed", "2 open", "2 closed", "3 open"]);
});

test("an open one is not closed by another cause while its own goes on", () => {
  const episodes = create();
  for (let at = 0; at < 3000; at += 50) episodes.add(slow(at, at + 100, "network-slow"));
  const [open] = episodes.take(ms(3100), () => true);
  episodes.add(slow(3000, 3100, "unknown"));
  episodes.add(slow(3000, 3400, "network-slow"));
  const told = episodes.take(ms(3500), nobody);
  expect(told).toMatchObject([{ verdict: { cause: "unknown" } }]);
  expect(told[0]?.number).not.toBe(open?.number);
  const [closed] = episodes.take(ms(3700), nobody);
  expect(closed).toMatchObject({ number: open?.number, state: "closed" });
});
