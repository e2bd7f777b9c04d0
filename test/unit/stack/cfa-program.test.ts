// Call frame programs: which row holds where, and that broken ones are refused.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { rowAt } from "../../../agent/stack/cfa-program";
import type { Fde } from "../../../agent/stack/eh-frame";

/** def_cfa rsp+8; the return address at CFA-8: what every x86-64 CIE says. */
const initial = [0x0c, 7, 8, 0x90, 1];

function fde(program: readonly number[], initialProgram: readonly number[] = initial): Fde {
  return {
    low: 0x1000,
    high: 0x2000,
    codeAlign: 1,
    dataAlign: -8,
    returnRegister: 16,
    isSignalFrame: false,
    initialProgram: Buffer.from(initialProgram),
    program: Buffer.from(program),
    pointerEncoding: 0x1b,
    programVaddr: 0x9000,
  };
}

const cfaAt = (entry: Fde, vaddr: number) => {
  const row = rowAt(entry, vaddr);
  return row.ok ? row.value.cfa : row;
};

describe("a call frame program", () => {
  // advance 1, CFA offset 16, rbp at CFA-16, advance 3, CFA register rbp.
  const framePointer = fde([0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6]);

  test("gives the row that holds at the address, not the one behind it", () => {
    expect(cfaAt(framePointer, 0x1000)).toEqual({ kind: "register", register: 7, offset: 8 });
    expect(cfaAt(framePointer, 0x1001)).toEqual({ kind: "register", register: 7, offset: 16 });
    expect(cfaAt(framePointer, 0x1003)).toEqual({ kind: "register", register: 7, offset: 16 });
    expect(cfaAt(framePointer, 0x1004)).toEqual({ kind: "register", register: 6, offset: 16 });
  });

  test("says where registers were saved", () => {
    const row = rowAt(framePointer, 0x1004);
    expect(row.ok && row.value.rules.get(6)).toEqual({ kind: "saved-at", offset: -16 });
    expect(row.ok && row.value.rules.get(16)).toEqual({ kind: "saved-at", offset: -8 });
  });

  test("goes back to a remembered row", () => {
    // remember, advance 4, CFA offset 64, advance 4, restore.
    const entry = fde([0x0a, 0x44, 0x0e, 64, 0x44, 0x0b]);
    expect(cfaAt(entry, 0x1004)).toMatchObject({ offset: 64 });
    expect(cfaAt(entry, 0x1008)).toMatchObject({ offset: 8 });
  });

  test("restores a register to what the CIE says", () => {
    // r3 at CFA-24, advance 1, restore r3; the return address set and restored likewise.
    const row = rowAt(fde([0x83, 3, 0x90, 4, 0x41, 0xc3, 0x06, 16]), 0x1001);
    expect(row.ok && row.value.rules.has(3)).toBe(false);
    expect(row.ok && row.value.rules.get(16)).toEqual({ kind: "saved-at", offset: -8 });
  });

  test.each([
    ["undefined", [0x07, 16], { kind: "undefined" }],
    ["same value", [0x08, 16], { kind: "same" }],
    ["in a register", [0x09, 16, 3], { kind: "register", register: 3 }],
    ["offset, extended", [0x05, 16, 2], { kind: "saved-at", offset: -16 }],
    ["offset, extended signed", [0x11, 16, 0x7e], { kind: "saved-at", offset: 16 }],
    ["value of CFA", [0x14, 16, 2], { kind: "cfa-plus", offset: -16 }],
  ])("understands the rule %s", (_, program, rule) => {
    const row = rowAt(fde(program), 0x1000);
    expect(row.ok && row.value.rules.get(16)).toEqual(rule);
  });

  test("passes over what does not concern unwinding", () => {
    expect(cfaAt(fde([0x2e, 16, 0x2d, 0x00, 0x0e, 24]), 0x1000)).toMatchObject({ offset: 24 });
  });

  test.each([
    ["an unknown instruction", [0x3c]],
    ["an operand that is missing", [0x0e]],
    ["a restore without a remembered row", [0x0b]],
    ["a number without an end", [0x0e, ...Array(12).fill(0xff)]],
    ["a register that no machine has", [0x07, 0xff, 0x7f]],
  ])("is refused for %s", (_, program) => {
    expect(rowAt(fde(program), 0x1000)).toMatchObject({ ok: false, why: "malformed" });
  });

  test("of any bytes ends, with a row or a refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), fc.uint8Array({ maxLength: 64 }), (a, b) => {
        expect(typeof rowAt(fde([...a], [...b]), 0x1800).ok).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
  });
});
