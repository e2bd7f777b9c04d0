import { describe, expect, test } from "@jest/globals";
import { faultCounts } from "../../../agent/base/guard";
import { isWrapped, replaceFunction, watchReads } from "../../../agent/instrument/wrap";

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

describe("watchReads", () => {
  test("tells who is asked for a method, and shows in no stack while that runs", () => {
    class Queue {
      write(): string {
        return new Error("inside").stack ?? "";
      }
    }
    const { write } = Queue.prototype;
    const asked: Queue[] = [];
    const restore = watchReads<Queue>(Queue.prototype, "write", (queue) => asked.push(queue));
    const queue = new Queue();
    const stack = queue.write();
    expect(asked).toEqual([queue]);
    expect(stack.split("\n")[2]).toContain("wrap.test");
    expect(queue.write).toBe(write);
    restore?.();
    expect(Object.getOwnPropertyDescriptor(Queue.prototype, "write")).toMatchObject({
      value: write,
      enumerable: false,
    });
  });

  test("follows an inherited method and removes itself without a trace", () => {
    class Stream {
      cork(): number {
        return 1;
      }
    }
    class Socket extends Stream {}
    let count = 0;
    const restore = watchReads(Socket.prototype, "cork", () => count++);
    Stream.prototype.cork = () => 2;
    expect([new Socket().cork(), new Stream().cork(), count]).toEqual([2, 2, 1]);
    restore?.();
    expect(Object.getOwnPropertyNames(Socket.prototype)).toEqual(["constructor"]);
  });

  test("lets the property be assigned, on an heir and on its owner", () => {
    const owner = calculator();
    const heir = Object.create(owner) as typeof owner;
    let count = 0;
    const restore = watchReads(owner, "add", () => count++);
    const theirs = Object.assign((a: number, b: number) => a * b, { version: 4 });
    heir.add = theirs;
    expect([heir.add(3, 4), Object.keys(heir), count]).toEqual([12, ["add"], 0]);
    owner.add = theirs;
    expect([owner.add(3, 4), Object.keys(owner), count]).toEqual([12, ["add"], 0]);
    restore?.();
    expect(owner.add).toBe(theirs);
  });

  test("gives what was asked for when the watcher fails, and counts it", () => {
    const owner = calculator();
    const before = faultCounts().get("instrument") ?? 0;
    watchReads(owner, "add", () => {
      throw new Error("ours");
    });
    expect(owner.add(1, 2)).toBe(3);
    expect(faultCounts().get("instrument")).toBe(before + 1);
  });

  test.each([
    ["no function there", { add: 1 }],
    ["nothing there", {}],
    ["an accessor", Object.defineProperty({}, "add", { get: () => () => 1, configurable: true })],
    ["a frozen object", Object.freeze(calculator())],
  ])("changes nothing where it cannot watch: %s", (_why, owner: object) => {
    const before = Object.getOwnPropertyDescriptors(owner);
    expect(watchReads(owner, "add", () => undefined)).toBeNull();
    expect(Object.getOwnPropertyDescriptors(owner)).toEqual(before);
  });
});
