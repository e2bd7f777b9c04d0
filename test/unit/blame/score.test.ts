import { expect, test } from "@jest/globals";
import type { Cause } from "../../../agent/model/cause";
import type { Incident } from "../../../agent/model/incident";
import { scenarios } from "../../../bench/blame/scenarios";
import { scoreOf } from "../../../bench/blame/score";

const nothing = { queueMs: 0, networkMs: 0, serverMs: 0, loopMs: 0, intendedMs: 0, unknownMs: 0 };

const incident = (cause: Cause, serverMs: number, more: Partial<Incident> = {}) =>
  ({
    cause,
    durationMs: serverMs,
    stall: null,
    commands: [{ maxMs: serverMs, blame: { ...nothing, serverMs } }],
    ...more,
  }) as unknown as Incident;

const truth = { cause: "server-slow", part: "serverMs", lengthMs: 400 } as const;

test("the right cause, with its part near the truth, is right", () => {
  expect(scoreOf(truth, [incident("server-slow", 396)], 5)).toEqual({
    isRight: true,
    said: "server-slow",
    falselyAccused: [],
    partErrorMs: -4,
    isPartRight: true,
    areSumsExact: true,
  });
});

test("a part that is off, or a sum that is, does not pass", () => {
  expect(scoreOf(truth, [incident("server-slow", 300)], 5)).toMatchObject({ isPartRight: false });
  const off = incident("server-slow", 396);
  const commands = off.commands.map((one) => ({ ...one, maxMs: 397 }));
  expect(scoreOf(truth, [{ ...off, commands }], 5).areSumsExact).toBe(false);
});

test("unknown is not right, and accuses nobody", () => {
  expect(scoreOf(truth, [incident("unknown", 400)], 5)).toMatchObject({
    isRight: false,
    said: "unknown",
    falselyAccused: [],
  });
});

test("another accusation beside the right one is wrong", () => {
  const both = [incident("server-slow", 396), incident("network-slow", 80)];
  expect(scoreOf(truth, both, 5)).toMatchObject({
    isRight: false,
    falselyAccused: ["network-slow"],
  });
});

test("an innocent scenario is right if nobody is accused, whatever the machine did", () => {
  const innocent = { cause: null, part: null, lengthMs: 0 };
  expect(scoreOf(innocent, [incident("cpu-starved", 80)], 5).isRight).toBe(true);
  expect(scoreOf(innocent, [incident("server-slow", 80)], 5).isRight).toBe(false);
});

test("there are forty scenarios at least, each with a name of its own", () => {
  const names = new Set(scenarios.map(({ name }) => name));
  expect(names.size).toBe(scenarios.length);
  expect(names.size).toBeGreaterThanOrEqual(40);
});
