import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { type MapRegion, type Maps, parseMaps } from "../../../agent/kernel/maps";
import { type Address, address } from "../../../agent/model/units";
import { readJsStack } from "../../../agent/stack/js-frames";
import { joinedMemory } from "../../../agent/stack/memory";
import { findExitFrame, type StackRange, walkChain } from "../../../agent/stack/v8-frames";
import { runningV8 } from "./v8-synthetic";

const v8 = runningV8();
const stackLow = 0x7f00_0000_0000;
const stackBytes = 16_384;
/** The smallest frame: marker or context, saved frame pointer, return address. */
const frameBytes = 24;
const isolate = 0x5500_0000_0000;
const codeAt = 0x40_1000;

function mapsWithCode(): Maps {
  const parsed = parseMaps(`400000-500000 r-xp 00000000 fe:00 77   ${v8.elfPath}\n`);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.value;
}

/** A stack to write words into, and one isolate beside it. */
function stack(): { range: StackRange; put(offset: number, word: number | bigint): void } & {
  isolateNames(fp: number): void;
} {
  const words = Buffer.alloc(stackBytes);
  const heap = Buffer.alloc(4096);
  const memory = joinedMemory([
    { base: address(stackLow), buffer: words },
    { base: address(isolate), buffer: heap },
  ]);
  const sp = address(stackLow + 64);
  const stackHigh = address(stackLow + stackBytes);
  return {
    range: { memory, v8, maps: mapsWithCode(), sp, stackHigh },
    put: (offset, word) => words.writeBigUInt64LE(BigInt(word), offset),
    isolateNames: (fp) => heap.writeBigUInt64LE(BigInt(fp), v8.layout.isolateCEntryFp),
  };
}

const marker = (type: number | undefined): number => (type ?? 0) * 2;
const context = 0x1234_5671;
const fpOf = (offset: number): Address => address(stackLow + offset);

/** Exit at 0x200, a JavaScript frame at 0x300, entry at 0x400: one sound segment. */
function soundStack(): ReturnType<typeof stack> {
  const built = stack();
  const { put } = built;
  putFrame(put, 0x200, marker(v8.frameTypes.exit[0]), 0x300);
  put(0x200 - 16, stackLow + 0x100);
  putFrame(put, 0x300, context, 0x400);
  putFrame(put, 0x400, marker(v8.frameTypes.entry[0]), 0x500);
  put(0x400 + v8.frame.entryCEntryFp, 0);
  return built;
}

function putFrame(
  put: (offset: number, word: number) => void,
  at: number,
  typeOrContext: number,
  caller: number,
): void {
  put(at - 8, typeOrContext);
  put(at, stackLow + caller);
  put(at + 8, codeAt + at);
}

describe("walkChain", () => {
  test("gives the frames from an exit frame to the outermost entry, each with its counter", () => {
    const chain = walkChain(soundStack().range, fpOf(0x200), null);
    expect(chain?.frames).toEqual([
      { kind: "exit", fp: fpOf(0x200), pc: null },
      { kind: "js", fp: fpOf(0x300), pc: codeAt + 0x200 },
      { kind: "entry", fp: fpOf(0x400), pc: codeAt + 0x300 },
    ]);
  });

  test("goes on from an entry frame to the exit frame of the JavaScript outside it", () => {
    const { range, put } = soundStack();
    put(0x400 + v8.frame.entryCEntryFp, stackLow + 0x600);
    putFrame(put, 0x600, marker(v8.frameTypes.builtinExit[0]), 0x700);
    put(0x600 - 16, stackLow + 0x580);
    putFrame(put, 0x700, context, 0x800);
    putFrame(put, 0x800, marker(v8.frameTypes.entry[1]), 0x900);
    put(0x800 + v8.frame.entryCEntryFp, 0);
    const kinds = walkChain(range, fpOf(0x200), null)?.frames.map((frame) => frame.kind);
    expect(kinds).toEqual(["exit", "js", "entry", "builtin-exit", "js", "entry"]);
  });

  test("refuses a chain that turns back, leaves the stack, or returns into no code", () => {
    const back = soundStack();
    back.put(0x300, stackLow + 0x200);
    const away = soundStack();
    away.put(0x300, stackLow + stackBytes + 0x100);
    const nowhere = soundStack();
    nowhere.put(0x308, 0x66_0000);
    const entryToDead = soundStack();
    entryToDead.put(0x400 + v8.frame.entryCEntryFp, stackLow + 0x300);
    for (const { range } of [back, away, nowhere, entryToDead]) {
      expect(walkChain(range, fpOf(0x200), null)).toBeNull();
    }
  });

  test("keeps the innermost 256 frames of a deep recursion and counts the others", () => {
    const { range, put } = stack();
    const first = 0x80;
    const calls = 300;
    const outermost = first + calls * frameBytes + 0x80;
    for (let call = 0; call < calls; call++) {
      const at = first + call * frameBytes;
      putFrame(put, at, context, call === calls - 1 ? outermost : at + frameBytes);
    }
    putFrame(put, outermost, marker(v8.frameTypes.entry[0]), outermost);
    put(outermost + v8.frame.entryCEntryFp, 0);
    const chain = walkChain(range, fpOf(first), null);
    expect([chain?.frames.length, chain?.dropped]).toEqual([256, calls + 1 - 256]);
  });
});

describe("findExitFrame", () => {
  test("believes the isolate that names an exit frame of this stack", () => {
    const { range, put, isolateNames } = soundStack();
    put(0x80, isolate);
    isolateNames(fpOf(0x200));
    expect(findExitFrame(range)).toBe(fpOf(0x200));
  });

  test("finds none on a stack that holds dead frames only", () => {
    const { range, put, isolateNames } = soundStack();
    put(0x80, isolate);
    isolateNames(0);
    expect(findExitFrame(range)).toBeNull();
  });

  test("refuses an isolate whose word is no exit frame", () => {
    const { range, put, isolateNames } = soundStack();
    put(0x80, isolate);
    isolateNames(fpOf(0x300));
    expect(findExitFrame(range)).toBeNull();
  });
});

describe("readJsStack", () => {
  test("says so when the chain holds no function", () => {
    const { range } = soundStack();
    const start = { fp: fpOf(0x400), sp: range.sp, stackHigh: range.stackHigh };
    const read = readJsStack({ memory: range.memory, maps: range.maps, v8, start });
    expect(read).toEqual({
      frames: [],
      gaps: ["V8's frames on this stack hold no function of a script"],
    });
  });

  const everywhere: MapRegion = {
    low: address(4096),
    high: address(2 ** 47),
    readable: true,
    executable: true,
    offset: 0,
    inode: 0,
    path: "",
  };
  const maps: Maps = { regions: [everywhere], find: () => everywhere };

  test("ends without throwing for any memory, and invents no line", () => {
    const inside = fc.nat(500).map((slot) => BigInt(stackLow + slot * 8));
    const tagged = inside.map((word) => word + 1n);
    const markers = fc.nat(40).map((type) => BigInt(type * 2));
    const word = fc.oneof(inside, tagged, markers, fc.bigInt(0n, 2n ** 64n - 1n));
    const content = fc.array(word, { minLength: 512, maxLength: 512 });
    fc.assert(
      fc.property(content, fc.option(fc.nat(500)), (words, slot) => {
        const buffer = Buffer.alloc(words.length * 8);
        for (const [index, value] of words.entries()) buffer.writeBigUInt64LE(value, index * 8);
        const memory = joinedMemory([{ base: address(stackLow), buffer }]);
        const fp = slot === null ? null : fpOf(slot * 8);
        const start = { fp, sp: address(stackLow), stackHigh: fpOf(buffer.length) };
        const { frames, gaps } = readJsStack({ memory, maps, v8, start });
        expect(frames.every((frame) => frame.line === null)).toBe(true);
        expect(frames.length > 0 || gaps.length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
