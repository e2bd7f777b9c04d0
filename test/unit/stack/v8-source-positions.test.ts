import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import {
  findBytecodeOffset,
  findSourcePosition,
  unpackSourcePosition,
} from "../../../agent/stack/v8-source-positions";

// Recorded from node 20.20.2 and 26.10.0: the tables of
// `function thrower(a){ try { throw new Error('x') } catch (e) { return e.stack } }`.
const signedTable = Buffer.from("0144082c1318" + "0b17", "hex");
const flaggedTable = Buffer.from("0244132c2618" + "1617", "hex");

describe("findSourcePosition", () => {
  test.each([
    ["signed", signedTable],
    ["flagged", flaggedTable],
  ] as const)("finds the entry at or before a bytecode in a %s table", (steps, table) => {
    const places = [-1, 0, 2, 3, 11, 12, 16, 17, 400].map(
      (offset) => findSourcePosition(table, offset, steps)?.scriptOffset,
    );
    // `(` of the head, `throw`, `new Error`, and `throw` again, which is what throws.
    expect(places).toEqual([16, 16, 16, 27, 27, 33, 33, 27, 27]);
  });

  test("has no position before the first entry, in an empty table and in a cut one", () => {
    expect(findSourcePosition(Buffer.from("1344", "hex"), 0, "flagged")).toBeNull();
    expect(findSourcePosition(Buffer.alloc(0), 5, "signed")).toBeNull();
    expect(findSourcePosition(signedTable.subarray(0, 3), 5, "signed")).toBeNull();
  });

  test("ends and keeps to the format's range for any bytes", () => {
    const table = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(table, fc.nat(1000), fc.boolean(), (bytes, offset, flagged) => {
        const steps = flagged ? "flagged" : "signed";
        const found = findSourcePosition(Buffer.from(bytes), offset, steps);
        if (found === null) return;
        expect(found.scriptOffset).toBeGreaterThanOrEqual(0);
        expect(found.scriptOffset).toBeLessThan(2 ** 30);
        expect(found.inliningId).toBeLessThan(2 ** 16);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("unpackSourcePosition", () => {
  test("takes script offset and inlining id apart", () => {
    expect(unpackSourcePosition((100 + 1) * 2)).toEqual({ scriptOffset: 100, inliningId: -1 });
    expect(unpackSourcePosition((7 + 1) * 2 + (3 + 1) * 2 ** 31)).toEqual({
      scriptOffset: 7,
      inliningId: 3,
    });
  });

  test("refuses external positions, no position, and garbage", () => {
    expect([3, 0, -2, 2 ** 60, Number.NaN].map(unpackSourcePosition)).toEqual(Array(5).fill(null));
  });
});

describe("findBytecodeOffset", () => {
  // Recorded from node 26.10.0: `function opt(a){ return a+1 }` as baseline code is Ldar, AddSmi,
  // Return, and its machine code ends at 0x11 (prologue), 0x15, 0x26 and 0x37.
  const table = Buffer.from("11041111", "hex");
  const bytecodes = Buffer.from("0b03" + "4d0100" + "b7", "hex");
  const count = 0xb8;
  const sizes = Buffer.alloc(3 * count);
  sizes[0x0b] = 2;
  sizes[0x4d] = 3;
  sizes[0xb7] = 1;
  sizes[count + 0x4d] = 5;

  test("finds the bytecode whose code a return address is in", () => {
    const offsets = [1, 0x11, 0x12, 0x15, 0x16, 0x26, 0x27, 0x37].map((pc) =>
      findBytecodeOffset(table, bytecodes, sizes, pc),
    );
    expect(offsets).toEqual([null, null, 0, 0, 2, 2, 5, 5]);
  });

  test("counts the prefix of a wide bytecode with it", () => {
    const wide = Buffer.from("0b03" + "004d01000000" + "b7", "hex");
    expect(findBytecodeOffset(table, wide, sizes, 0x26)).toBe(2);
    expect(findBytecodeOffset(table, wide, sizes, 0x37)).toBe(8);
  });

  test("refuses an address past the code and a bytecode it does not know", () => {
    expect(findBytecodeOffset(table, bytecodes, sizes, 0x38)).toBeNull();
    expect(findBytecodeOffset(table, Buffer.from("0b03ff", "hex"), sizes, 0x26)).toBeNull();
  });
});
