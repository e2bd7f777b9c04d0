import { describe, expect, test } from "@jest/globals";
import { isWrapped, replaceFunction } from "../../../agent/instrument/wrap";

type Add = (a: number, b: number) => number;

function calculator() {
  function add(a: number, b: number): number {
    return a + b;
  }
  return { add: Object.assign(add, { version: 3 }) };
}

const addOne =
  (original: Add): Add =>
  (a, b) =>
    original(a, b) + 1;

describe("replaceFunction", () => {
  test("calls the replacement until it is restored", () => {
    const owner = calculator();
    const original = owner.add;
    const restore = replaceFunction<Add>(owner, "add", addOne);
    expect(owner.add(1, 2)).toBe(4);
    restore?.();
    expect(owner.add).toBe(original);
    expect(owner.add(1, 2)).toBe(3);
  });

  test("keeps name, length, own properties and the property's attributes", () => {
    const owner = calculator();
    const { prototype: _, ...before } = Object.getOwnPropertyDescriptors(owner.add);
    replaceFunction<Add>(owner, "add", addOne);
    const { add } = owner;
    expect([add.name, add.length, add.version]).toEqual(["add", 2, 3]);
    expect(Object.getOwnPropertyDescriptors(add)).toMatchObject(before);
    expect(Object.keys(owner)).toEqual(["add"]);
    expect(Object.keys(add)).toEqual(["version"]);
  });

  test("gives an inherited function an own property that no listing shows, and removes it again", () => {
    class Queue {
      push(item: number): number {
        return item;
      }
    }
    const queue = new Queue();
    const restore = replaceFunction<Queue["push"]>(
      queue,
      "push",
      (push) => (item) => push(item) * 2,
    );
    expect(queue.push(4)).toBe(8);
    expect(Object.keys(queue)).toEqual([]);
    expect(new Queue().push(4)).toBe(4);
    restore?.();
    expect(Object.getOwnPropertyNames(queue)).toEqual([]);
    expect(queue.push(4)).toBe(4);
  });

  test("never wraps twice, and a restored function can be wrapped again", () => {
    const owner = calculator();
    const restore = replaceFunction<Add>(owner, "add", addOne);
    expect(isWrapped(owner.add)).toBe(true);
    expect(replaceFunction<Add>(owner, "add", addOne)).toBeNull();
    expect(owner.add(1, 2)).toBe(4);
    restore?.();
    expect(isWrapped(owner.add)).toBe(false);
    expect(replaceFunction<Add>(owner, "add", addOne)).not.toBeNull();
  });

  test("leaves alone what somebody else has put over it", () => {
    const owner = calculator();
    const restore = replaceFunction<Add>(owner, "add", addOne);
    const theirs = Object.assign((a: number, b: number) => a * b, { version: 4 });
    owner.add = theirs;
    restore?.();
    expect(owner.add).toBe(theirs);
  });

  test.each([
    ["no function there", { add: 1 }],
    ["nothing there", {}],
    ["an accessor", Object.defineProperty({}, "add", { get: () => () => 1, configurable: true })],
    ["a frozen object", Object.freeze(calculator())],
  ])("changes nothing where it cannot replace: %s", (_why, owner: object) => {
    const before = Object.getOwnPropertyDescriptors(owner);
    expect(replaceFunction<Add>(owner, "add", addOne)).toBeNull();
    expect(Object.getOwnPropertyDescriptors(owner)).toEqual(before);
  });
});
