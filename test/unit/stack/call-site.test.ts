// Telling a return address from a number: the instruction before it.

import { describe, expect, test } from "@jest/globals";
import { address } from "../../../agent/model/units";
import { callSiteBefore, throughPlt } from "../../../agent/stack/call-site";
import { bufferMemory } from "../../../agent/stack/memory";

const low = 0x10000;
const at = low + 64;

function siteAfter(machine: "x64" | "arm64", hex: string) {
  const code = Buffer.alloc(256, machine === "x64" ? 0x90 : 0);
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  code.set(bytes, at - low - bytes.length);
  code.writeBigUInt64LE(0x1234n, 128);
  return callSiteBefore(machine, bufferMemory(address(low), code), at);
}

describe("on x86-64", () => {
  test.each([
    ["call *%rax", "ffd0"],
    ["call *%r11", "41ffd3"],
    ["call *8(%rdi)", "ff5708"],
    ["call *(%rax)", "ff10"],
    ["call *0x1f8(%rax)", "ff90f8010000"],
    ["call *8(%rsp)", "ff542408"],
    ["call *(%rax,%rbx,8)", "ff14d8"],
    ["call *table(,%rax,8)", "ff14c500100000"],
  ])("%s is a call of anything", (_, hex) => {
    expect(siteAfter("x64", hex)).toEqual({ kind: "indirect" });
  });

  test("a direct call names its target", () => {
    expect(siteAfter("x64", "e800010000")).toEqual({ kind: "direct", target: at + 256 });
    expect(siteAfter("x64", "e8f0ffffff")).toEqual({ kind: "direct", target: at - 16 });
  });

  test("a call through a named slot names what the slot holds", () => {
    expect(siteAfter("x64", "ff1540000000")).toEqual({ kind: "direct", target: 0x1234 });
  });

  test.each([
    ["jmp *%rax", "ffe0"],
    ["push %rbp", "55"],
    ["nothing known", "9090909090909090"],
  ])("%s is none", (_, hex) => {
    expect(siteAfter("x64", hex)).toBeNull();
  });

  test.each([
    ["plain", "ff2500010000", 6],
    ["with endbr64", "f30f1efaff2500010000", 10],
    ["with endbr64 and bnd", "f30f1efaf2ff2500010000", 11],
  ])("a %s PLT entry leads to what its slot holds", (_, hex, length) => {
    const code = Buffer.alloc(512);
    code.set(Buffer.from(hex, "hex"), 0);
    code.writeBigUInt64LE(0x5678n, length + 256);
    expect(throughPlt("x64", bufferMemory(address(low), code), low)).toBe(0x5678);
  });

  test("any other target is its own", () => {
    expect(throughPlt("x64", bufferMemory(address(low), Buffer.alloc(64)), low)).toBe(low);
  });
});

describe("on arm64", () => {
  test("bl names its target, forwards and back", () => {
    expect(siteAfter("arm64", "04000094")).toEqual({ kind: "direct", target: at + 12 });
    expect(siteAfter("arm64", "ffffff97")).toEqual({ kind: "direct", target: at - 8 });
  });

  test("blr and its authenticated forms are calls of anything", () => {
    expect(siteAfter("arm64", "20003fd6")).toEqual({ kind: "indirect" });
    expect(siteAfter("arm64", "22083fd7")).toEqual({ kind: "indirect" });
  });

  test("br, ret and b are none", () => {
    for (const hex of ["00001fd6", "c0035fd6", "04000014"]) {
      expect(siteAfter("arm64", hex)).toBeNull();
    }
  });

  test("a PLT entry leads to what its slot holds", () => {
    // adrp x16, +1 page; ldr x17, [x16, #0x18], as in the arm64 ABI's PLT.
    const code = Buffer.alloc(8192);
    code.writeUInt32LE(0xb0000010, 0);
    code.writeUInt32LE(0xf9400e11, 4);
    code.writeBigUInt64LE(0x5678n, 4096 + 0x18);
    expect(throughPlt("arm64", bufferMemory(address(low), code), low)).toBe(0x5678);
  });
});
