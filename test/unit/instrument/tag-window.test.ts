import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { TagWindow } from "../../../agent/instrument/tag-window";

const taken = (take: (then: (record: number) => void) => void): readonly number[] => {
  const found: number[] = [];
  take((record) => found.push(record));
  return found;
};

test("gives each record once, by its tag", () => {
  const window = new TagWindow();
  window.put(1, 10);
  window.put(2, 20);
  expect([window.take(2), window.take(2), window.take(1), window.take(1)]).toEqual([20, 0, 10, 0]);
});

test("gives all up to a tag in order, and leaves the later ones", () => {
  const window = new TagWindow();
  for (let tag = 1; tag <= 40; tag++) if (window.hasRoom(tag)) window.put(tag, tag * 10);
  window.take(2);
  expect(taken((then) => window.takeUpTo(4, then))).toEqual([10, 30, 40]);
  expect(taken((then) => window.takeUpTo(4, then))).toEqual([]);
  expect(taken((then) => window.takeAll(then)).length).toBe(36);
  expect(taken((then) => window.takeAll(then))).toEqual([]);
});

test("has no room beyond its limit, and again after some were taken", () => {
  const window = new TagWindow();
  let tag = 0;
  while (window.hasRoom(tag + 1)) window.put(++tag, tag);
  expect(tag).toBe(4096);
  window.take(1);
  expect(window.hasRoom(tag + 1)).toBe(true);
});

test("is not blocked by one that stays for ever", () => {
  const window = new TagWindow();
  window.put(1, 1);
  for (let tag = 2; tag < 20_000; tag++) {
    if (window.hasRoom(tag)) window.put(tag, tag);
    window.take(tag);
  }
  window.put(20_001, 20_001);
  expect(taken((then) => window.takeUpTo(20_001, then))).toEqual([1, 20_001]);
});

/** The window and a plain map side by side. */
function createPair() {
  const window = new TagWindow();
  const model = new Map<number, number>();
  let next = 1;
  const tagBack = (back: number): number => Math.max(1, next - back);
  return {
    put() {
      expect(window.hasRoom(next)).toBe(true);
      window.put(next, next * 10);
      model.set(next, next * 10);
      next++;
    },
    take(back: number) {
      const tag = tagBack(back);
      expect(window.take(tag)).toBe(model.get(tag) ?? 0);
      model.delete(tag);
    },
    upTo(back: number) {
      const tag = tagBack(back);
      const expected = [...model.keys()].filter((key) => key <= tag);
      const found = taken((then) => window.takeUpTo(tag, then));
      expect(new Set(found)).toEqual(new Set(expected.map((key) => key * 10)));
      expect(found.length).toBe(expected.length);
      for (const key of expected) model.delete(key);
    },
  };
}

test("behaves as a map of the same limit would", () => {
  const step = fc.record({
    what: fc.constantFrom("put" as const, "take" as const, "upTo" as const),
    back: fc.nat(80),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const pair = createPair();
      for (const { what, back } of steps) pair[what](back);
    }),
  );
});
