import { expect, test } from "@jest/globals";
import { isWorthTelling } from "../../../agent/diagnose/worth-telling";
import type { ChargedCommand, Culprit } from "../../../agent/model/incident";
import { culprit } from "../exporters/incidents";

const blame = { queueMs: 0, networkMs: 0, serverMs: 0, loopMs: 9, intendedMs: 0, unknownMs: 0 };
const get: ChargedCommand = {
  client: "ioredis",
  command: "GET",
  host: "h",
  port: 1,
  count: 1,
  maxMs: 9,
  blame,
};

const stall = (named: Culprit | null, commands: readonly ChargedCommand[] = []) => ({
  culprit: named,
  commands,
});
const worker = { isMain: false, serves: false, isCutShort: false };

test("every stall of the main thread is told", () => {
  expect(isWorthTelling(stall(null), { ...worker, isMain: true })).toBe(true);
});

test("a worker's is told if it has a culprit, held up commands, or holds up whom it serves", () => {
  expect(isWorthTelling(stall(null), worker)).toBe(false);
  expect(isWorthTelling(stall(culprit), worker)).toBe(true);
  expect(isWorthTelling(stall({ ...culprit, syscall: null }), worker)).toBe(false);
  expect(isWorthTelling(stall(null, [get]), worker)).toBe(true);
  expect(isWorthTelling(stall(null), { ...worker, serves: true })).toBe(true);
});

test("what a worker that ends does at last is told only with a culprit", () => {
  const ending = { ...worker, serves: true, isCutShort: true };
  expect(isWorthTelling(stall(null, [get]), ending)).toBe(false);
  expect(isWorthTelling(stall(culprit), ending)).toBe(true);
});
