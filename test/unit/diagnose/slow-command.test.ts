import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import type { Finding } from "../../../agent/diagnose/server-word";
import { judgeSlowCommand, type SlowCommand } from "../../../agent/diagnose/slow-command";
import type { Blame } from "../../../agent/model/incident";
import { ms } from "../../../agent/model/units";

const finding = (kind: Finding["kind"], changes: Partial<Finding> = {}): Finding => ({
  kind,
  certainty: 0.95,
  connectMs: 2,
  silentUntilMs: kind === "server" ? ms(1400) : null,
  answeredMs: null,
  answerTookMs: null,
  uncertaintyMs: 30,
  evidence: [{ kind: "control-ping", says: "…" }],
  ...changes,
});

/** EXPIRE, called and sent at 1000, answered at 1400. */
const slow = (changes: Partial<SlowCommand>): SlowCommand => ({
  command: "EXPIRE",
  calledMs: ms(1000),
  sentMs: ms(1000),
  settledMs: ms(1400),
  askedMs: null,
  usualRoundTripMs: null,
  stalls: [],
  line: null,
  usual: null,
  finding: null,
  ...changes,
});

const sum = (blame: Blame): number => Object.values(blame).reduce((a, b) => a + b, 0);

test("the server has what the path does not take", () => {
  expect(judgeSlowCommand(slow({ finding: finding("server") }))).toMatchObject({
    cause: "server-slow",
    confidence: 0.95,
    parts: { blame: { networkMs: 2, serverMs: 398 }, uncertaintyMs: 30 },
  });
});

test("the path is never longer than a usual round trip", () => {
  const verdict = judgeSlowCommand(slow({ finding: finding("server"), usualRoundTripMs: ms(0.5) }));
  expect(verdict?.parts.blame).toMatchObject({ networkMs: 0.5, serverMs: 399.5 });
});

describe("a server that was silent only for a while", () => {
  const said = finding("server", { silentUntilMs: ms(1088), certainty: 0.7 });

  test("has that while, and is not accused of the rest", () => {
    const verdict = judgeSlowCommand(slow({ finding: said, settledMs: ms(1931) }));
    expect(verdict).toMatchObject({
      cause: "unknown",
      confidence: 0,
      parts: { blame: { networkMs: 2, serverMs: 86, unknownMs: 843 } },
    });
  });

  test("has the backlog that it then answers", () => {
    const verdict = judgeSlowCommand(slow({ finding: said, settledMs: ms(1100) }));
    expect(verdict).toMatchObject({ cause: "server-slow", parts: { blame: { serverMs: 98 } } });
  });

  test("has the backlog of a long silence, which takes longer", () => {
    const long = finding("server", { silentUntilMs: ms(1370) });
    const verdict = judgeSlowCommand(slow({ finding: long }));
    expect(verdict).toMatchObject({ cause: "server-slow", parts: { blame: { serverMs: 398 } } });
  });
});

test("a long path has all of the time in flight", () => {
  expect(judgeSlowCommand(slow({ finding: finding("path") }))).toMatchObject({
    cause: "network-slow",
    parts: { blame: { networkMs: 400 } },
  });
});

test("a server that answered others is not accused, nor is anybody else", () => {
  expect(judgeSlowCommand(slow({ finding: finding("answering") }))).toMatchObject({
    cause: "unknown",
    confidence: 0,
    parts: { blame: { unknownMs: 400 } },
  });
});

test("one that was never sent waited in its client", () => {
  const verdict = judgeSlowCommand(slow({ sentMs: null }));
  expect(verdict).toMatchObject({ cause: "client-queue", parts: { blame: { queueMs: 400 } } });
});

describe("with a stall at another moment", () => {
  const stalls = [{ startMs: ms(1350), endMs: ms(1395) }];

  test("each has its part, and the larger one names the cause", () => {
    const said = finding("server", { silentUntilMs: ms(1360) });
    const verdict = judgeSlowCommand(slow({ stalls, finding: said, usualRoundTripMs: ms(1) }));
    expect(verdict).toMatchObject({
      cause: "server-slow",
      parts: { blame: { networkMs: 1, serverMs: 359, loopMs: 40 } },
    });
  });

  test("that covers most of it the command is the stall's", () => {
    const long = [{ startMs: ms(1010), endMs: ms(1395) }];
    const verdict = judgeSlowCommand(slow({ stalls: long, usualRoundTripMs: ms(1) }));
    expect(verdict).toBeNull();
  });

  test("that covers most of it, without proof that the reply was there, nobody else is accused", () => {
    const long = [{ startMs: ms(1010), endMs: ms(1380) }];
    expect(judgeSlowCommand(slow({ stalls: long }))).toBeNull();
    expect(judgeSlowCommand(slow({ stalls: long, finding: finding("answering") }))).toBeNull();
  });
});

test("the parts add up to the latency, whatever is known", () => {
  const time = fc.double({ min: 0, max: 3000, noNaN: true });
  const kinds = fc.constantFrom("server", "path", "answering", "nothing" as const);
  fc.assert(
    fc.property(time, time, time, time, time, kinds, (a, b, c, d, e, kind) => {
      const [called, sent, settled] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
      const verdict = judgeSlowCommand(
        slow({
          calledMs: ms(called),
          sentMs: ms(sent),
          settledMs: ms(settled),
          stalls: [{ startMs: ms(Math.min(d, e)), endMs: ms(Math.max(d, e)) }],
          finding: finding(kind as Finding["kind"]),
          line: {
            ahead: 1,
            previousRepliedMs: ms((sent + settled) / 2),
            waits: [
              {
                kind: "on-purpose",
                command: "BLPOP",
                startMs: ms(sent),
                endMs: ms((sent + settled) / 2),
              },
            ],
          },
        }),
      );
      if (verdict === null) return;
      expect(sum(verdict.parts.blame)).toBeCloseTo(settled - called, 6);
      for (const part of Object.values(verdict.parts.blame)) expect(part).toBeGreaterThanOrEqual(0);
    }),
  );
});
