import { expect, test } from "@jest/globals";
import { late } from "../../../agent/start-worker";

test("is made when it is first asked for, once", () => {
  let count = 0;
  const part = late(() => ({ id: ++count }));
  expect(part.made()).toBeNull();
  expect(part.get()).toEqual({ id: 1 });
  expect(part.get()).toBe(part.made());
  expect(count).toBe(1);
});

test("is the same for all who ask, also for one who asks while it is being made", () => {
  let count = 0;
  const inner: object[] = [];
  const part = late((): object => {
    const made = { id: ++count };
    if (count === 1) inner.push(part.get());
    return made;
  });
  expect(part.get()).toBe(inner[0]);
  expect(part.made()).toBe(inner[0]);
});
