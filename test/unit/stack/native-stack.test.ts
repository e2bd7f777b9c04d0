// Unwinding of recorded stacks, checked against what gdb found in the living processes.

import { afterAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { address, bytes } from "../../../agent/model/units";
import { joinedMemory, type Memory, withBudget, withPages } from "../../../agent/stack/memory";
import { createModuleImages } from "../../../agent/stack/module-images";
import { type NativeStack, readNativeStack } from "../../../agent/stack/native-stack";
import { type Chain, codeRegion, loadChain, mapsOf } from "./chain";

const images = createModuleImages();
afterAll(() => images.close());

const x64 = loadChain("x64");
const arm64 = loadChain("arm64");

function unwind(chain: Chain, from = 0, overrides: Partial<Chain> = {}): NativeStack {
  const { memory, maps, stackHigh, machine } = { ...chain, ...overrides };
  const start = chain.frames[from] ?? { address: 0, sp: 0 };
  return readNativeStack({
    memory,
    maps,
    images,
    machine,
    stackHigh,
    pc: address(start.address),
    sp: address(start.sp),
  });
}

const addresses = (stack: NativeStack): readonly number[] =>
  stack.frames.map((frame) => frame.address);
const symbols = (stack: NativeStack): readonly (string | null)[] =>
  stack.frames.map((frame) => frame.symbol);

describe("a recorded x86-64 stack", () => {
  test("gives the frames that gdb found, up to the thread's start", () => {
    const stack = unwind(x64);
    expect(addresses(stack)).toEqual(x64.frames.map((frame) => frame.address));
    expect(symbols(stack)).toEqual(x64.frames.map((frame) => frame.symbol));
    expect(stack.atJs).toBeNull();
  });

  test("calls a frame a guess when its frame pointer was only scanned for, and all behind it", () => {
    const trusts = unwind(x64).frames.map((frame) => frame.trust);
    expect(trusts).toEqual(["register", "unwound", "unwound", "guess", "guess", "guess", "guess"]);
  });

  test("names the module and the offset as the symbol table counts it", () => {
    const [leaf] = unwind(x64).frames;
    expect(leaf?.module).toBe(x64.path);
    expect(leaf?.moduleOffset).toBe(x64.frames[0]?.address);
  });

  test("says which frame's caller was found by scanning, and nothing else", () => {
    const { gaps } = unwind(x64);
    expect(gaps).toEqual([
      `the caller of the frame at 0x${x64.frames[2]?.address.toString(16)} was found by scanning the stack`,
    ]);
  });
});

describe("a recorded arm64 stack", () => {
  test("gives the frames that gdb found when the return address was saved", () => {
    const stack = unwind(arm64, 1);
    expect(addresses(stack)).toEqual(arm64.frames.slice(1).map((frame) => frame.address));
    expect(symbols(stack)).toEqual(arm64.frames.slice(1).map((frame) => frame.symbol));
    expect(new Set(stack.frames.slice(1).map((frame) => frame.trust))).toEqual(
      new Set(["unwound"]),
    );
    expect(stack.gaps).toEqual([]);
  });

  test("skips the caller of a leaf whose return address is in a register, and says it guessed", () => {
    const stack = unwind(arm64, 0);
    expect(symbols(stack)[0]).toBe("leaf");
    expect(symbols(stack).slice(1)).toEqual(arm64.frames.slice(2).map((frame) => frame.symbol));
    expect(stack.frames[1]?.trust).toBe("guess");
    expect(stack.gaps.length).toBeGreaterThan(0);
  });
});

describe("where JavaScript begins", () => {
  // The code of `direct` and of what lies behind it is shown as memory without a file.
  const at = x64.frames[3]?.address ?? 0;
  const low = at - 40;
  const boundary = mapsOf([
    codeRegion(x64.path, 0x400000, low),
    codeRegion("", low, at + 16),
    codeRegion(x64.path, at + 16, 0x401000),
  ]);

  test("unwinding stops and tells the registers there", () => {
    const stack = unwind(x64, 0, { maps: boundary });
    expect(symbols(stack)).toEqual(["leaf", "with_buffer", "by_frame_pointer"]);
    expect(stack.atJs?.pc).toBe(at);
    expect(stack.atJs?.sp).toBe(x64.frames[3]?.sp);
    expect(stack.atJs?.trust).toBe("guess");
  });
});

describe("what cannot be read", () => {
  test("a pc outside of any code ends at once and is told", () => {
    const stack = unwind({ ...x64, frames: [{ address: 0x1234, sp: 0x5678, symbol: "" }] });
    expect(stack.frames).toEqual([]);
    expect(stack.gaps).toEqual(["0x1234 is no code"]);
  });

  test("a file that is not the mapped one names nothing", () => {
    const other = Buffer.from(x64.stack);
    const code = Buffer.alloc(0x1000, 0x90);
    const memory = joinedMemory([
      { base: address(0x400000), buffer: code },
      { base: address(x64.frames[0]?.sp ?? 0), buffer: other },
    ]);
    const fresh = createModuleImages();
    const stack = readNativeStack({
      memory,
      maps: x64.maps,
      images: fresh,
      machine: "x64",
      stackHigh: x64.stackHigh,
      pc: address(x64.frames[0]?.address ?? 0),
      sp: address(x64.frames[0]?.sp ?? 0),
    });
    fresh.close();
    expect(stack.frames.map((frame) => frame.symbol)).toEqual([null]);
    expect(stack.gaps[0]).toMatch(/is not the one that is mapped/);
  });

  test("a budget that runs out ends the stack with a gap", () => {
    const stack = unwind(x64, 0, { memory: withBudget(x64.memory, bytes(24)) });
    expect(stack.frames.length).toBeLessThan(x64.frames.length);
    expect(stack.gaps).not.toEqual([]);
  });
});

describe("stacks that no program made", () => {
  const code = { base: address(0x400000), buffer: x64readable(x64) };

  test("end after a bounded number of frames and of bytes read, whatever they hold", () => {
    const word = fc.oneof(
      fc.constantFrom(...x64.frames.map((frame) => frame.address)),
      fc.integer({ min: 0, max: 1024 }).map((slot) => stackLow + slot * 8),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(Number),
      fc.constant(0),
    );
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 256 }), (words) => {
        const stack = bufferOf(words);
        const meter = metered(joinedMemory([code, { base: address(stackLow), buffer: stack }]));
        const result = unwind(x64, 0, {
          memory: withPages(meter.memory),
          stackHigh: address(stackLow + stack.length),
        });
        expect(result.frames.length).toBeGreaterThan(0);
        expect(result.frames.length).toBeLessThanOrEqual(128);
        expect(meter.bytesRead()).toBeLessThan(4_000_000);
        expect(result.atJs !== null || result.gaps.length > 0 || endsAtStart(result)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  const stackLow = x64.frames[0]?.sp ?? 0;
  const endsAtStart = (stack: NativeStack): boolean => stack.frames.at(-1)?.symbol === "_start";
});

function x64readable(chain: Chain): Buffer {
  const text = chain.memory.read(address(0x400000), bytes(0x1000));
  return text.ok ? text.value : Buffer.alloc(0);
}

function bufferOf(words: readonly number[]): Buffer {
  const buffer = Buffer.alloc(words.length * 8);
  for (const [index, word] of words.entries()) {
    buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(word)), index * 8);
  }
  return buffer;
}

function metered(memory: Memory): { memory: Memory; bytesRead: () => number } {
  let total = 0;
  const read: Memory["read"] = (at, length) => {
    total += length;
    return memory.read(at, length);
  };
  const word: Memory["word"] = (at) => {
    total += 8;
    return memory.word(at);
  };
  return { memory: { read, word }, bytesRead: () => total };
}
