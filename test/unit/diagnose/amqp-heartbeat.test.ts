import { expect, test } from "@jest/globals";
import { heartbeatEvidence, missedHeartbeats } from "../../../agent/diagnose/amqp-heartbeat";
import { judge } from "../../../agent/diagnose/verdict";
import type { HeartbeatExposure } from "../../../agent/model/evidence";
import { ms } from "../../../agent/model/units";
import { evidenceOf } from "./evidence-of";

const exposure: HeartbeatExposure = {
  host: "127.0.0.1",
  port: 5672,
  heartbeatMs: ms(10_000),
  connections: 1,
  ends: [],
};

const stalled = (seconds: number, changes: Partial<HeartbeatExposure> = {}) =>
  evidenceOf({
    stall: {
      id: 1,
      threadId: 0,
      startMs: ms(1_000),
      endMs: ms(1_000 + seconds * 1_000),
      uncertaintyMs: ms(1),
    },
    heartbeats: [{ ...exposure, ...changes }],
  });

const said = (...stall: Parameters<typeof stalled>): string =>
  heartbeatEvidence(stalled(...stall))
    .map(({ says }) => says)
    .join();

test("a stall of three heartbeats says that the broker will have closed the connection", () => {
  expect(said(31)).toBe(
    "the loop was blocked for 31 s; RabbitMQ's heartbeat at 127.0.0.1:5672 is 10 s: the broker will have closed the connection; at least 5 heartbeats were not sent because the loop was blocked",
  );
});

test("one of two to three says that it may have, for then it depends on when it looked", () => {
  expect(said(21)).toBe(
    "the loop was blocked for 21 s; RabbitMQ's heartbeat at 127.0.0.1:5672 is 10 s: the broker closes a connection after 2 to 3 heartbeats of silence, and may have closed this one; at least 3 heartbeats were not sent because the loop was blocked",
  );
});

test("one of more than half a heartbeat is told as a risk, with the ratio", () => {
  expect(said(6)).toBe(
    "the loop was blocked for 6 s; RabbitMQ's heartbeat at 127.0.0.1:5672 is 10 s: 60 % of it, and the broker closes a connection after 2 to 3 heartbeats of silence",
  );
  expect(heartbeatEvidence(stalled(6))).toMatchObject([{ ratio: 0.6, missed: 0 }]);
});

test("a shorter one is no word worth, and neither is one without such a connection", () => {
  expect(said(4.9)).toBe("");
  expect(heartbeatEvidence(evidenceOf())).toEqual([]);
});

test("the end of the connection stands beside it, with its reason or without one", () => {
  const end = { atMs: ms(32_003), reason: null };
  expect(said(31, { ends: [end] })).toContain(
    "; the connection ended 3 ms after the loop turned again (without a reason, as when heartbeats are missing)",
  );
  expect(said(31, { connections: 3, ends: [{ ...end, reason: "ECONNRESET" }] })).toContain(
    "; 1 of 3 connections ended 3 ms after the loop turned again (ECONNRESET)",
  );
});

test.each([
  [9_999, 0],
  [10_000, 1],
  [14_999, 1],
  [15_000, 2],
  [60_000, 11],
])("a stall of %i ms kept at least %i heartbeats of 10 s from being sent", (stallMs, missed) => {
  expect(missedHeartbeats(stallMs, 10_000)).toBe(missed);
});

test("heartbeats are evidence of any verdict, and never make one", () => {
  const verdict = judge(stalled(31));
  expect(verdict.cause).toBe("unknown");
  expect(verdict.evidence.map(({ kind }) => kind)).toContain("amqp-heartbeat");
});
