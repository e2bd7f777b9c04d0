import { expect, test } from "@jest/globals";
import { redisCommands, redisVersion } from "../../../agent/model/redis-commands";

test("every command stands in the table once, with its documented complexity", () => {
  const names = redisCommands.map(([name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect([...names].sort()).toEqual(names);
  expect(redisCommands).toContainEqual(["GET", "O(1)"]);
  expect(redisCommands.find(([name]) => name === "KEYS")?.[1]).toMatch(/^O\(N\)/);
  expect(redisVersion).toMatch(/^\d+\.\d+\.\d+$/);
});
