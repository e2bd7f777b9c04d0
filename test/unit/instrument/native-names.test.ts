import { expect, test } from "@jest/globals";
import { createNativeNames, nativeFunctionsMax } from "../../../agent/instrument/native-names";
import type { ToWatchdog } from "../../../agent/model/wire";

const nth = (n: number) => ({ module: "big.node", function: `f${n}` });

test("numbers from 1, and announces each function once", () => {
  const posted: ToWatchdog[] = [];
  const names = createNativeNames((message) => posted.push(message));
  expect([names.idOf(nth(0)), names.idOf(nth(1)), names.idOf(nth(0))]).toEqual([1, 2, 1]);
  expect(names.idOf({ module: "other.node", function: "f0" })).toBe(3);
  expect(posted).toHaveLength(3);
  expect(posted[1]).toEqual({ kind: "native-function", id: 2, module: "big.node", name: "f1" });
  expect(names.all()[1]).toEqual(nth(1));
});

test("has no number for the function after the last one, and still knows the others", () => {
  const names = createNativeNames(() => undefined);
  for (let n = 0; n < nativeFunctionsMax; n++) expect(names.idOf(nth(n))).toBe(n + 1);
  expect(names.idOf(nth(nativeFunctionsMax))).toBeNull();
  expect(names.idOf(nth(7))).toBe(8);
  expect(names.all()).toHaveLength(nativeFunctionsMax);
});

test("cuts a name that is too long to be read", () => {
  const names = createNativeNames(() => undefined);
  names.idOf({ module: "m.node", function: "x".repeat(10_000) });
  expect(names.all()[0]?.function).toHaveLength(128);
});
