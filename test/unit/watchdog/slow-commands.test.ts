import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Line } from "../../../agent/diagnose/line";
import type { CommandRecord } from "../../../agent/model/command";
import { type Ms, ms } from "../../../agent/model/units";
import { createCommandHistory } from "../../../agent/watchdog/command-history";
import { noProbes } from "../../../agent/watchdog/control-probes";
import { serverLabel } from "../../../agent/watchdog/directory";
import { createServerFacts } from "../../../agent/watchdog/server-facts";
import { createSlowCommands, type SlowCommands } from "../../../agent/watchdog/slow-commands";

let unjudged = 0;
const createSlow = (history = createCommandHistory()) => {
  let number = 0;
  return createSlowCommands({
    thresholdMs: ms(50),
    history,
    facts: createServerFacts(noProbes),
    nextNumber: () => ++number,
    isClaimed: (sequence) => sequence === claimed,
    onUnjudged: () => unjudged++,
  });
};

/** Sequence of the command that a stall was charged with. */
const claimed = 99;

/** By then a command has been judged, and its episode is over. */
const overMs = 300;
const take = (slow: SlowCommands, nowMs: number) => slow.take(ms(nowMs), []);

/** Behind a command that waited on purpose. */
const behind = (command: string, startMs: number, endMs: number): Line => ({
  ahead: 1,
  previousRepliedMs: ms(endMs),
  waits: [{ command, kind: "on-purpose", startMs: ms(startMs), endMs: ms(endMs) }],
});

beforeEach(() => {
  unjudged = 0;
});

function record(
  command: string,
  calledMs: number,
  sentMs: number | null = calledMs,
): CommandRecord {
  return {
    sequence: 1,
    command,
    connection: {
      id: 1,
      client: "ioredis",
      protocol: "redis",
      host: "127.0.0.1",
      port: 6379,
      localPort: 5001,
    },
    state: "replied",
    calledMs: ms(calledMs),
    sentMs: sentMs === null ? null : ms(sentMs),
    repliedMs: null,
    ahead: 0,
    askedMs: null,
  };
}

/** What is said of `EXPIRE` called at 1000 and answered at `settledMs`. */
function verdictOf(
  settledMs: number,
  { stall, line = null }: { stall?: { startMs: Ms; endMs: Ms }; line?: Line | null } = {},
) {
  const slow = createSlow();
  if (stall !== undefined) slow.stallEnded(stall);
  slow.add(record("EXPIRE", 1000), ms(settledMs), line);
  return take(slow, settledMs + overMs)[0]?.verdict ?? null;
}

describe("a slow command of constant cost", () => {
  test("without a stall is an incident whose cause is unknown", () => {
    const verdict = verdictOf(1080);
    expect(verdict).toMatchObject({
      cause: "unknown",
      parts: { blame: { unknownMs: 80, loopMs: 0 } },
    });
  });

  test("is none if a stall explains most of it, or if it was fast enough", () => {
    const stall = { startMs: ms(1001), endMs: ms(1075) };
    expect(verdictOf(1080, { stall })).toBeNull();
    expect(verdictOf(1049)).toBeNull();
  });

  test("that a stall was charged with is not told of again", () => {
    const slow = createSlow();
    slow.add({ ...record("EXPIRE", 1000), sequence: claimed }, ms(1080), null);
    expect(take(slow, 1080 + overMs)).toEqual([]);
  });

  test("behind BLPOP on one connection waited in the client's queue", () => {
    const verdict = verdictOf(1400, { line: behind("BLPOP", 900, 1400) });
    expect(verdict).toMatchObject({ cause: "client-queue", parts: { blame: { queueMs: 400 } } });
    expect(verdict?.evidence[0]?.says).toContain("behind BLPOP");
  });

  test("is not blamed on a BLPOP that was answered long before", () => {
    const verdict = verdictOf(1400, { line: behind("BLPOP", 900, 1100) });
    expect(verdict?.cause).toBe("unknown");
  });

  test("that was not sent for most of the time waited in the client's queue", () => {
    const slow = createSlow();
    slow.add(record("TTL", 1000, 1300), ms(1302), null);
    const [found] = take(slow, 1302 + overMs);
    expect(found?.verdict).toMatchObject({
      cause: "client-queue",
      parts: { blame: { queueMs: 300, unknownMs: 2 } },
    });
  });

  test("is judged only after the stalls around it are known, and once", () => {
    const slow = createSlow();
    slow.add(record("EXPIRE", 1000), ms(1080), null);
    expect(take(slow, 1179)).toEqual([]);
    slow.stallEnded({ startMs: ms(1001), endMs: ms(1075) });
    expect(take(slow, 1080 + overMs)).toEqual([]);
    slow.add(record("EXPIRE", 2000), ms(2080), null);
    expect(take(slow, 2080 + overMs)).toHaveLength(1);
    expect(take(slow, 2081 + overMs)).toEqual([]);
  });
});

describe("a command that waits on purpose", () => {
  const blpop = (askedMs: number | null) => ({
    ...record("BLPOP", 1000),
    askedMs: askedMs === null ? null : ms(askedMs),
  });
  const verdictsOn = (askedMs: number | null, settledMs: number) => {
    const slow = createSlow();
    slow.add(blpop(askedMs), ms(settledMs), null);
    return take(slow, settledMs + overMs).map(({ verdict }) => verdict);
  };

  test.each([null, Number.POSITIVE_INFINITY, 8000])("is not slow within %s ms", (askedMs) => {
    expect(verdictsOn(askedMs, 9000)).toEqual([]);
  });

  test("is late beyond its time-out, by no more than what it was not asked to wait", () => {
    expect(verdictsOn(1000, 2149)).toEqual([]);
    const [verdict] = verdictsOn(1000, 2400);
    expect(verdict).toMatchObject({
      cause: "unknown",
      parts: { blame: { intendedMs: 1000, unknownMs: 400 } },
    });
    expect(verdict?.evidence[0]?.says).toBe(
      "it was asked to wait 1000 ms at most and took 1400 ms",
    );
  });

  test("behind another one on the same connection waited in the client's queue", () => {
    const slow = createSlow();
    slow.add(blpop(1000), ms(2000), null);
    slow.add(blpop(1000), ms(3050), behind("BLPOP", 1000, 2000));
    expect(take(slow, 4000).map(({ verdict }) => verdict)).toMatchObject([
      {
        cause: "client-queue",
        parts: { blame: { intendedMs: 1000, queueMs: 1000, unknownMs: 50 } },
      },
    ]);
  });
});

describe("a command whose cost depends on the data", () => {
  const keys = record("KEYS", 1000);
  const historyOf = (...timesMs: readonly number[]) => {
    const history = createCommandHistory();
    for (const time of timesMs) history.of(serverLabel(keys.connection), "KEYS")?.(ms(time));
    return history;
  };
  const usual = Array.from({ length: 500 }, (_, i) => 1 + (i % 10) / 10);

  test("is not judged before there are enough samples, and that is counted", () => {
    const slow = createSlow(historyOf(...usual.slice(0, 199)));
    slow.add(keys, ms(9000), null);
    expect(take(slow, 9999)).toEqual([]);
    expect(unjudged).toBe(1);
  });

  test("is told when it is far outside its own history, with that history as evidence", () => {
    const slow = createSlow(historyOf(...usual));
    slow.add(keys, ms(1300), null);
    const [found] = take(slow, 1700);
    expect(found?.verdict).toMatchObject({
      cause: "unknown",
      parts: { blame: { unknownMs: 300 } },
    });
    expect(found?.verdict.evidence[0]).toMatchObject({ kind: "outside-its-history", samples: 500 });
    expect(found?.verdict.evidence[0]?.says).toBe(
      "99 of 100 of the last 500 KEYS to that server took at most 2 ms, this one 300 ms",
    );
  });

  test("is as usual when it always takes that long, or now and then", () => {
    for (const history of [
      usual.map((time) => time * 100),
      usual.map((t, i) => (i % 50 ? t : 280)),
    ]) {
      const slow = createSlow(historyOf(...history));
      slow.add(keys, ms(1300), null);
      expect(take(slow, 1700)).toEqual([]);
    }
    expect(unjudged).toBe(0);
  });

  test("is as usual when only a stall takes it outside", () => {
    const slow = createSlow(historyOf(...usual.map((time) => time * 30)));
    slow.add(keys, ms(1400), null);
    slow.stallEnded({ startMs: ms(1000), endMs: ms(1100) });
    expect(take(slow, 1800)).toEqual([]);
  });

  test("is not judged by what stood before it on its connection", () => {
    const slow = createSlow(historyOf(...usual));
    slow.add({ ...keys, ahead: 65 }, ms(1300), null);
    slow.add({ ...keys, sentMs: ms(1290) }, ms(1300), null);
    expect(take(slow, 1700)).toEqual([]);
  });
});

test("a storm is bounded, and one incident", () => {
  const slow = createSlow();
  for (let i = 0; i < 10_000; i++) slow.add(record("GET", 1000), ms(2000), null);
  const told = take(slow, 2000 + overMs);
  expect(told).toHaveLength(1);
  expect(told[0]?.commands).toMatchObject([{ command: "GET", count: 512 }]);
});
