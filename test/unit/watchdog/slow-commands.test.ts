import { beforeEach, describe, expect, test } from "@jest/globals";
import type { CommandRecord } from "../../../agent/model/command";
import { type Ms, ms } from "../../../agent/model/units";
import { createCommandHistory } from "../../../agent/watchdog/command-history";
import { serverLabel } from "../../../agent/watchdog/directory";
import { createSlowCommands } from "../../../agent/watchdog/slow-commands";

let unjudged = 0;
const createSlow = (history = createCommandHistory()) =>
  createSlowCommands({ thresholdMs: ms(50), history, onUnjudged: () => unjudged++ });

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
  prepare: (slow: ReturnType<typeof createSlowCommands>) => void,
) {
  const slow = createSlow();
  prepare(slow);
  slow.add(record("EXPIRE", 1000), ms(settledMs));
  return slow.take(ms(settledMs + 100))[0]?.verdict ?? null;
}

const nothing = () => undefined;

describe("a slow command of constant cost", () => {
  test("without a stall is an incident whose cause is unknown", () => {
    const verdict = verdictOf(1080, nothing);
    expect(verdict).toMatchObject({ cause: "unknown", blame: { unknownMs: 80, loopMs: 0 } });
  });

  test("is none if a stall explains most of it, or if it was fast enough", () => {
    const stall = { startMs: ms(1001), endMs: ms(1075) };
    expect(verdictOf(1080, (slow) => slow.stallEnded(stall))).toBeNull();
    expect(verdictOf(1049, nothing)).toBeNull();
  });

  test("behind BLPOP on one connection waited in the client's queue", () => {
    const verdict = verdictOf(1400, (slow) => slow.add(record("BLPOP", 900), ms(1400)));
    expect(verdict).toMatchObject({ cause: "client-queue", blame: { queueMs: 400 } });
    expect(verdict?.evidence[0]?.says).toContain("behind BLPOP");
  });

  test("is not blamed on a BLPOP that was answered long before", () => {
    const verdict = verdictOf(1400, (slow) => slow.add(record("BLPOP", 900), ms(1100)));
    expect(verdict?.cause).toBe("unknown");
  });

  test("that was not sent for most of the time waited in the client's queue", () => {
    const slow = createSlow();
    slow.add(record("TTL", 1000, 1300), ms(1302));
    const [found] = slow.take(ms(1500));
    expect(found?.verdict).toMatchObject({
      cause: "client-queue",
      blame: { queueMs: 300, unknownMs: 2 },
    });
  });

  test("is judged only after the stalls around it are known, and once", () => {
    const slow = createSlow();
    slow.add(record("EXPIRE", 1000), ms(1080));
    expect(slow.take(ms(1179) as Ms)).toEqual([]);
    expect(slow.take(ms(1180))).toHaveLength(1);
    expect(slow.take(ms(1300))).toEqual([]);
  });
});

describe("a command that waits on purpose", () => {
  const blpop = (askedMs: number | null) => ({
    ...record("BLPOP", 1000),
    askedMs: askedMs === null ? null : ms(askedMs),
  });
  const take = (askedMs: number | null, settledMs: number) => {
    const slow = createSlow();
    slow.add(blpop(askedMs), ms(settledMs));
    return slow.take(ms(settledMs + 100)).map(({ verdict }) => verdict);
  };

  test.each([null, Number.POSITIVE_INFINITY, 8000])("is not slow within %s ms", (askedMs) => {
    expect(take(askedMs, 9000)).toEqual([]);
  });

  test("is late beyond its time-out, by no more than what it was not asked to wait", () => {
    expect(take(1000, 2149)).toEqual([]);
    const [verdict] = take(1000, 2400);
    expect(verdict).toMatchObject({
      cause: "unknown",
      blame: { intendedMs: 1000, unknownMs: 400 },
    });
    expect(verdict?.evidence[0]?.says).toBe(
      "it was asked to wait 1000 ms at most and took 1400 ms",
    );
  });

  test("behind another one on the same connection waited in the client's queue", () => {
    const slow = createSlow();
    slow.add(blpop(1000), ms(2000));
    slow.add(blpop(1000), ms(3050));
    expect(slow.take(ms(4000)).map(({ verdict }) => verdict)).toMatchObject([
      { cause: "client-queue", blame: { intendedMs: 1000, queueMs: 1050, unknownMs: 0 } },
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
    slow.add(keys, ms(9000));
    expect(slow.take(ms(9999))).toEqual([]);
    expect(unjudged).toBe(1);
  });

  test("is told when it is far outside its own history, with that history as evidence", () => {
    const slow = createSlow(historyOf(...usual));
    slow.add(keys, ms(1300));
    const [found] = slow.take(ms(1400));
    expect(found?.verdict).toMatchObject({ cause: "unknown", blame: { unknownMs: 300 } });
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
      slow.add(keys, ms(1300));
      expect(slow.take(ms(1400))).toEqual([]);
    }
    expect(unjudged).toBe(0);
  });

  test("is as usual when only a stall takes it outside", () => {
    const slow = createSlow(historyOf(...usual.map((time) => time * 30)));
    slow.add(keys, ms(1400));
    slow.stallEnded({ startMs: ms(1000), endMs: ms(1100) });
    expect(slow.take(ms(1500))).toEqual([]);
  });

  test("is not judged by what stood before it on its connection", () => {
    const slow = createSlow(historyOf(...usual));
    slow.add({ ...keys, ahead: 65 }, ms(1300));
    slow.add({ ...keys, sentMs: ms(1290) }, ms(1300));
    expect(slow.take(ms(1400))).toEqual([]);
  });
});

test("a storm is bounded", () => {
  const slow = createSlow();
  for (let i = 0; i < 10_000; i++) slow.add(record("GET", 1000), ms(2000));
  expect(slow.take(ms(2200))).toHaveLength(512);
});
