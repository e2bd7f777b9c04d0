import { describe, expect, test } from "@jest/globals";
import type { CommandRecord } from "../../../agent/model/command";
import { type Ms, ms } from "../../../agent/model/units";
import { createSlowCommands } from "../../../agent/watchdog/slow-commands";

const thresholdMs = ms(50);

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
  };
}

/** What is said of `EXPIRE` called at 1000 and answered at `settledMs`. */
function verdictOf(
  settledMs: number,
  prepare: (slow: ReturnType<typeof createSlowCommands>) => void,
) {
  const slow = createSlowCommands(thresholdMs);
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
    const slow = createSlowCommands(thresholdMs);
    slow.add(record("TTL", 1000, 1300), ms(1302));
    const [found] = slow.take(ms(1500));
    expect(found?.verdict).toMatchObject({
      cause: "client-queue",
      blame: { queueMs: 300, unknownMs: 2 },
    });
  });

  test("is judged only after the stalls around it are known, and once", () => {
    const slow = createSlowCommands(thresholdMs);
    slow.add(record("EXPIRE", 1000), ms(1080));
    expect(slow.take(ms(1179) as Ms)).toEqual([]);
    expect(slow.take(ms(1180))).toHaveLength(1);
    expect(slow.take(ms(1300))).toEqual([]);
  });
});

test("BLPOP and commands whose cost depends on the data are never slow commands", () => {
  const slow = createSlowCommands(thresholdMs);
  slow.add(record("BLPOP", 1000), ms(9000));
  slow.add(record("KEYS", 1000), ms(9000));
  expect(slow.take(ms(9999))).toEqual([]);
});

test("a storm is bounded", () => {
  const slow = createSlowCommands(thresholdMs);
  for (let i = 0; i < 10_000; i++) slow.add(record("GET", 1000), ms(2000));
  expect(slow.take(ms(2200))).toHaveLength(512);
});
