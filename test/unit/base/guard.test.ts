import { describe, expect, test } from "@jest/globals";
import { countFault, faultCounts, guard, onFault } from "../../../agent/base/guard";

describe("guard", () => {
  test("gives what the work gives", () => {
    expect(guard("fine", () => 42, 0)).toBe(42);
    expect(faultCounts().has("fine")).toBe(false);
  });

  test("gives the fallback when the work throws, and counts it under its room", () => {
    const boom = () => {
      throw new Error("boom");
    };
    expect(guard("broken", boom, "fallback")).toBe("fallback");
    expect(guard("broken", boom, "fallback")).toBe("fallback");
    expect(faultCounts().get("broken")).toBe(2);
  });

  test("tells its listener of each fault, with the count so far", () => {
    const heard: unknown[] = [];
    onFault(({ room, error }, count) => heard.push([room, error, count]));
    countFault("told", "first");
    countFault("told", null);
    expect(heard).toEqual([
      ["told", "first", 1],
      ["told", null, 2],
    ]);
  });
});
