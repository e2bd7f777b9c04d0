// Finding a frame whose frame pointer nobody saved: by its size, by call sites, by the frames above.

import { describe, expect, test } from "@jest/globals";
import { address } from "../../../agent/model/units";
import type { Row } from "../../../agent/stack/cfa-program";
import { joinedMemory } from "../../../agent/stack/memory";
import { findFramePointer, scanForCaller } from "../../../agent/stack/resync";
import { codeRegion, mapsOf } from "./chain";

const codeLow = 0x400000;
const stackLow = 0x7000_0000;
const entry = codeLow + 0x100;
const plt = codeLow + 0x300;
const slot = codeLow + 0x380;

/** After `call entry`, after `call *%rax`, after `call plt`, after a call of something else. */
const calls = { direct: codeLow + 0x205, indirect: codeLow + 0x212, plt: codeLow + 0x225 };
const otherCall = codeLow + 0x235;
const noCall = codeLow + 0x240;

/** push %rbp; mov %rsp,%rbp; sub $0x20,%rsp; call ... */
const sized = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0xe8, 0, 0, 0, 0];
/** push %rbp; mov %rsp,%rbp; sub %rax,%rsp: a frame whose size is not in the code. */
const dynamic = [0x55, 0x48, 0x89, 0xe5, 0x48, 0x29, 0xc4, 0xe8, 0, 0, 0, 0];

function code(prologue: readonly number[]): Buffer {
  const buffer = Buffer.alloc(0x400, 0x90);
  const put = (at: number, ...values: readonly number[]): void => buffer.set(values, at - codeLow);
  put(entry, ...prologue);
  const call = (returnsAt: number, target: number): void => {
    put(returnsAt - 5, 0xe8);
    buffer.writeInt32LE(target - returnsAt, returnsAt - 4 - codeLow);
  };
  call(calls.direct, entry);
  call(calls.plt, plt);
  call(otherCall, codeLow + 0x150);
  put(calls.indirect - 2, 0xff, 0xd0);
  put(plt, 0xff, 0x25);
  buffer.writeInt32LE(slot - (plt + 6), plt + 2 - codeLow);
  buffer.writeBigUInt64LE(BigInt(entry), slot - codeLow);
  return buffer;
}

/** CFA at rbp + 16, the return address below it, the caller's rbp below that. */
const row: Row = {
  cfa: { kind: "register", register: 6, offset: 16 },
  rules: new Map([
    [16, { kind: "saved-at", offset: -8 }],
    [6, { kind: "saved-at", offset: -16 }],
  ]),
};

function find(words: { readonly [offset: number]: number }, prologue = sized, withEntry = true) {
  const stack = Buffer.alloc(0x200);
  for (const [offset, value] of Object.entries(words)) {
    stack.writeBigUInt64LE(BigInt(value), Number(offset));
  }
  const input = {
    machine: "x64" as const,
    memory: joinedMemory([
      { base: address(codeLow), buffer: code(prologue) },
      { base: address(stackLow), buffer: stack },
    ]),
    maps: mapsOf([codeRegion("/lib/x.so", codeLow, codeLow + 0x400)]),
    registers: { pc: entry + prologue.length, sp: stackLow, known: new Map<number, number>() },
    stackHigh: stackLow + stack.length,
    entry: withEntry ? entry : null,
  };
  const found = findFramePointer(input, row);
  const fp = found?.registers.known.get(6);
  return {
    offset: fp === undefined ? null : fp - stackLow,
    trust: found?.trust ?? null,
    caller: scanForCaller(input),
  };
}

/** The place where `sized` has its saved frame pointer. */
const saved = 0x20;

describe("the frame pointer of a frame", () => {
  test("is proven by the frame's size and a call of this function", () => {
    expect(find({ [saved + 8]: calls.direct })).toMatchObject({ offset: saved, trust: "unwound" });
  });

  test("is proven when that call goes through the procedure linkage table", () => {
    expect(find({ [saved + 8]: calls.plt })).toMatchObject({ offset: saved, trust: "unwound" });
  });

  test("is not taken from a stale frame that lies lower", () => {
    const words = { 0: stackLow + 0x40, 8: calls.direct, [saved + 8]: calls.direct };
    expect(find(words)).toMatchObject({ offset: saved, trust: "unwound" });
  });

  test("is believed for its size and its link to a frame above when the call was indirect", () => {
    const words = {
      [saved]: stackLow + 0x80,
      [saved + 8]: calls.indirect,
      136: calls.indirect,
    };
    expect(find(words)).toMatchObject({ offset: saved, trust: "frame-pointer" });
  });

  test("is a guess for its size alone", () => {
    expect(find({ [saved + 8]: calls.indirect })).toMatchObject({ offset: saved, trust: "guess" });
  });

  test("is a guess for a call alone, when the size is not in the code", () => {
    expect(find({ 72: calls.direct }, dynamic)).toMatchObject({ offset: 0x40, trust: "guess" });
  });

  test("is believed for a call and a link above", () => {
    const words = { 64: stackLow + 0x80, 72: calls.direct, 136: calls.indirect };
    expect(find(words, dynamic)).toMatchObject({ offset: 0x40, trust: "frame-pointer" });
  });

  test("is not found at a word that follows no call, or a call of something else", () => {
    expect(find({ [saved + 8]: noCall }).offset).toBeNull();
    expect(find({ [saved + 8]: otherCall }).offset).toBeNull();
    expect(find({ 72: otherCall }, dynamic).offset).toBeNull();
  });

  test("is not found on an empty stack", () => {
    expect(find({}).offset).toBeNull();
  });
});

describe("the caller of a frame without call frame information", () => {
  test("is a guess at the place of the frame's size", () => {
    // Without a saved rbp the same prologue makes the same frame: return address behind 0x28 bytes.
    const { caller } = find({ 8: calls.indirect, [saved + 8]: calls.indirect });
    expect(caller?.registers.pc).toBe(calls.indirect);
    expect(caller?.registers.sp).toBe(stackLow + saved + 16);
    expect(caller?.trust).toBe("guess");
  });

  test("is elsewhere only where this function was called by name", () => {
    expect(find({ 8: calls.indirect, 96: calls.direct }).caller?.registers.pc).toBe(calls.direct);
    expect(find({ 8: calls.indirect }).caller).toBeNull();
  });

  test("is not searched for when not even the function is known", () => {
    expect(find({ [saved + 8]: calls.direct }, sized, false).caller).toBeNull();
  });
});
