import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { blameFor, chargeCommands, type HeldCommand } from "../../../agent/diagnose/charge";
import type { Finding } from "../../../agent/diagnose/server-word";
import type { Blame } from "../../../agent/model/incident";
import { type Ms, ms } from "../../../agent/model/units";

const stall = { startMs: ms(1000), endMs: ms(1300) };

function held(changes: Partial<HeldCommand>): HeldCommand {
  return {
    client: "ioredis",
    command: "EXPIRE",
    host: "127.0.0.1",
    port: 6379,
    calledMs: ms(999),
    sentMs: ms(999),
    settledMs: ms(1302),
    unreadSeenMs: null,
    usualRoundTripMs: null,
    sequence: 1,
    stalls: [stall],
    behind: [],
    finding: null,
    askedMs: null,
    ...changes,
  };
}

const sum = (blame: Blame): number => Object.values(blame).reduce((a, b) => a + b, 0);

test("a reply seen unread is the loop's time from then on, at the latest", () => {
  expect(blameFor(held({ unreadSeenMs: ms(1012) }), stall)).toMatchObject({
    loopMs: 290,
    unknownMs: 13,
  });
});

test("the usual round trip to that server bounds what was not the loop's", () => {
  const blame = blameFor(held({ unreadSeenMs: ms(1012), usualRoundTripMs: ms(3) }), stall);
  expect(blame).toMatchObject({ loopMs: 300, unknownMs: 3 });
});

test("without proof or history the wait stays unknown", () => {
  expect(blameFor(held({}), stall)).toMatchObject({ loopMs: 0, unknownMs: 303 });
});

test("a command called but not yet sent waited for the loop", () => {
  const blame = blameFor(held({ calledMs: ms(1000), sentMs: ms(1301) }), stall);
  expect(blame).toMatchObject({ loopMs: 300, queueMs: 1, unknownMs: 1 });
});

test("a slow server is not charged to a short stall in the middle of the wait", () => {
  const slow = held({ calledMs: ms(1100), sentMs: ms(1100), settledMs: ms(2500) });
  expect(blameFor({ ...slow, usualRoundTripMs: ms(1) }, stall).loopMs).toBe(0);
});

test("BLPOP waits on purpose until its reply is seen unread", () => {
  const blpop = held({ command: "BLPOP", sentMs: ms(500), calledMs: ms(500) });
  expect(blameFor({ ...blpop, usualRoundTripMs: ms(1) }, stall)).toMatchObject({
    intendedMs: 802,
    loopMs: 0,
  });
  expect(blameFor({ ...blpop, unreadSeenMs: ms(1100) }, stall)).toMatchObject({
    intendedMs: 600,
    loopMs: 202,
  });
});

test("BLPOP was asked to wait no longer than its time-out, and what comes after is not intended", () => {
  const blpop = held({
    command: "BLPOP",
    calledMs: ms(1400),
    sentMs: ms(1400),
    settledMs: ms(2800),
  });
  expect(blameFor({ ...blpop, askedMs: ms(1000) }, stall)).toMatchObject({
    intendedMs: 1000,
    unknownMs: 400,
  });
  expect(blameFor({ ...blpop, askedMs: ms(Number.POSITIVE_INFINITY) }, stall).intendedMs).toBe(
    1400,
  );
});

test("a time-out that ended inside the stall was answered then, at the latest a server's tick later", () => {
  const blpop = held({ command: "BLPOP", calledMs: ms(900), sentMs: ms(900), askedMs: ms(200) });
  expect(blameFor({ ...blpop, usualRoundTripMs: ms(1) }, stall)).toMatchObject({
    loopMs: 101,
    intendedMs: 200,
    unknownMs: 101,
  });
  const forEver = { ...blpop, askedMs: ms(Number.POSITIVE_INFINITY), usualRoundTripMs: ms(1) };
  expect(blameFor(forEver, stall)).toMatchObject({ loopMs: 0, intendedMs: 402 });
});

test("XREAD without BLOCK does not wait on purpose", () => {
  const xread = held({ command: "XREAD", askedMs: ms(0), usualRoundTripMs: ms(2) });
  expect(blameFor(xread, stall)).toMatchObject({ loopMs: 301, intendedMs: 0 });
});

test("the parts always add up to the latency, and none is negative", () => {
  const time = fc.double({ min: 0, max: 3000, noNaN: true });
  fc.assert(
    fc.property(time, time, time, time, time, fc.boolean(), (a, b, c, seen, usual, isKnown) => {
      const [calledMs, sentMs, settledMs] = [a, b, c].sort((x, y) => x - y) as [Ms, Ms, Ms];
      const command = held({
        calledMs,
        sentMs,
        settledMs,
        unreadSeenMs: isKnown ? ms(seen) : null,
        usualRoundTripMs: isKnown ? null : ms(usual),
      });
      const blame = blameFor(command, stall);
      expect(sum(blame)).toBeCloseTo(settledMs - calledMs, 6);
      for (const part of Object.values(blame)) expect(part).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("commands are charged by client, name and server, dearest first, rounded parts adding up", () => {
  const charged = chargeCommands([
    held({ unreadSeenMs: ms(1012.34) }),
    held({ unreadSeenMs: ms(1012.34), settledMs: ms(1310.77) }),
    held({ command: "TTL", sentMs: ms(1250), calledMs: ms(1250), usualRoundTripMs: ms(1) }),
    held({ command: "GET", sentMs: ms(1299.5), calledMs: ms(1299.5), settledMs: ms(1300.1) }),
  ]);
  expect(charged.map(({ command, count }) => [command, count])).toEqual([
    ["EXPIRE", 2],
    ["TTL", 1],
  ]);
  for (const one of charged) expect(sum(one.blame)).toBeCloseTo(one.maxMs, 6);
});

describe("what an experiment says during a stall", () => {
  const answering: Finding = {
    kind: "answering",
    certainty: 0.9,
    connectMs: 0.3,
    silentUntilMs: null,
    answeredMs: ms(1100),
    answerTookMs: ms(0.6),
    uncertaintyMs: 0,
    evidence: [],
  };

  test("a server that answered a later question had answered the command before", () => {
    const finding = { ...answering, answerTookMs: null };
    expect(blameFor(held({ finding }), stall)).toMatchObject({ loopMs: 202, unknownMs: 101 });
  });

  test("the time that took it stands in for a usual round trip where none is known", () => {
    expect(blameFor(held({ finding: answering }), stall)).toMatchObject({ loopMs: 302 });
  });

  test("a server that was silent until then has that time, and the loop the rest", () => {
    const finding: Finding = {
      ...answering,
      kind: "server",
      answeredMs: null,
      silentUntilMs: ms(1200),
    };
    const blame = blameFor(held({ finding, usualRoundTripMs: ms(0.3) }), stall);
    expect(blame).toMatchObject({ loopMs: 102 });
    expect(blame.serverMs + blame.networkMs).toBeCloseTo(201, 6);
  });

  test("such a command is not charged to the stall, for the server has most of it", () => {
    const finding: Finding = {
      ...answering,
      kind: "server",
      answeredMs: null,
      silentUntilMs: ms(1200),
    };
    expect(chargeCommands([held({ finding, usualRoundTripMs: ms(0.3) })])).toEqual([]);
  });
});
