// DWARF expressions as call frame information uses them.

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { address } from "../../../agent/model/units";
import { evaluate } from "../../../agent/stack/dwarf-expression";
import { bufferMemory } from "../../../agent/stack/memory";

const words = Buffer.alloc(64);
words.writeBigUInt64LE(0xabcdn, 8);
const memory = bufferMemory(address(0x10000), words);
const registers: { readonly [number: number]: number } = { 6: 0x10010, 7: 0x20000, 16: 0x40100b };

const run = (expression: readonly number[], initial: number | null = null) =>
  evaluate(Buffer.from(expression), initial, {
    memory,
    register: (number) => registers[number] ?? null,
  });

describe("an expression", () => {
  // rsp + 8 + ((rip & 15) >= 11) * 8: the CFA in a PLT entry, which pushes halfway through.
  const plt = [0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];

  test("gives the CFA inside a PLT entry, before and after its push", () => {
    expect(run(plt)).toEqual({ ok: true, value: 0x20010 });
    const before = evaluate(Buffer.from(plt), null, {
      memory,
      register: (number) => (number === 16 ? 0x401000 : 0x20000),
    });
    expect(before).toEqual({ ok: true, value: 0x20008 });
  });

  test("gives the CFA of a realigned stack, which lies in memory", () => {
    expect(run([0x76, 0x78, 0x06])).toEqual({ ok: true, value: 0xabcd });
  });

  test("starts with the CFA where a register's place is described", () => {
    expect(run([0x23, 16], 0x100)).toEqual({ ok: true, value: 0x110 });
  });

  test("says which register it lacks", () => {
    expect(run([0x73, 0])).toEqual({ needsRegister: 3 });
  });

  test.each([
    ["swap and subtract", [0x33, 0x38, 0x16, 0x1c], 5],
    ["dup and multiply", [0x35, 0x12, 0x1e], 25],
    ["over", [0x35, 0x32, 0x14, 0x22, 0x22], 12],
    ["drop", [0x35, 0x32, 0x13], 5],
    ["a jump over a literal", [0x35, 0x2f, 1, 0, 0x32], 5],
    ["a branch that is taken", [0x35, 0x31, 0x28, 1, 0, 0x32], 5],
    ["a branch that is not", [0x35, 0x30, 0x28, 1, 0, 0x32], 2],
  ])("knows %s", (_, expression, value) => {
    expect(run(expression)).toEqual({ ok: true, value });
  });

  test.each([
    ["an endless jump", [0x2f, 0xfd, 0xff], "limit"],
    ["an empty stack", [0x22], "malformed"],
    ["nothing", [], "malformed"],
    ["an operation that is not known", [0xe0], "unsupported"],
    ["memory that is not there", [0x31, 0x06], "gone"],
  ])("is refused for %s", (_, expression, why) => {
    expect(run(expression)).toMatchObject({ ok: false, why });
  });

  test("of any bytes ends without an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (expression) => {
        const result = run([...expression]);
        expect("needsRegister" in result || typeof result.ok === "boolean").toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});
