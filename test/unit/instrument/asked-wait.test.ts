import { expect, test } from "@jest/globals";
import { askedWaitMs } from "../../../agent/instrument/asked-wait";
import { timeoutPlaces } from "../../../agent/model/blocking-commands";
import type { TimeoutPlace } from "../../../agent/model/timeout-place";

const asked = (command: string, ...args: readonly unknown[]) =>
  askedWaitMs(timeoutPlaces[command] as TimeoutPlace, args, 0);
const forEver = Number.POSITIVE_INFINITY;

test.each([
  ["BLPOP", ["list", "other", 1], 1000],
  ["BLPOP", ["list", "0.25"], 250],
  ["BRPOP", ["list", Buffer.from("2")], 2000],
  ["BLMOVE", ["a", "b", "LEFT", "RIGHT", 0], forEver],
  ["BZMPOP", ["1.5", 1, "set", "MIN"], 1500],
  ["BLMPOP", [3, 1, "list", "LEFT"], 3000],
  ["WAIT", [1, 500], 500],
  ["XREAD", ["BLOCK", 250, "STREAMS", "s", "$"], 250],
  ["XREAD", ["COUNT", 10, "block", "0", "STREAMS", "s", "$"], forEver],
  ["XREADGROUP", ["GROUP", "g", "c", "COUNT", 1, "NOACK", "BLOCK", 20, "STREAMS", "s", ">"], 20],
] as const)("%s %j was asked to wait %s ms", (command, args, expected) => {
  expect(asked(command, ...args)).toBe(expected);
});

test("XREAD without BLOCK was not asked to wait, whatever its keys are called", () => {
  expect(asked("XREAD", "COUNT", 1, "STREAMS", "BLOCK", "0")).toBe(0);
  expect(asked("XREADGROUP", "GROUP", "BLOCK", "100", "STREAMS", "s", ">")).toBe(0);
});

test("reads after the name where the client keeps it among the arguments", () => {
  expect(askedWaitMs(timeoutPlaces["BZMPOP"] as TimeoutPlace, ["BZMPOP", "2", "1", "s"], 1)).toBe(
    2000,
  );
});

test("what is no time-out was not read, and nothing of the application's runs", () => {
  const trap = {
    toString() {
      throw new Error("converted");
    },
  };
  for (const argument of [trap, undefined, null, "soon", "", "-1", "1".repeat(40), Number.NaN]) {
    expect(asked("BLPOP", "list", argument)).toBeNull();
  }
  expect(asked("BLPOP")).toBeNull();
  expect(asked("XREAD", trap, "BLOCK", 1)).toBeNull();
  expect(asked("XREAD", ...Array.from({ length: 40 }, () => "?"))).toBeNull();
});
