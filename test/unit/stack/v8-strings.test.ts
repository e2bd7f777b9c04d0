import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { address } from "../../../agent/model/units";
import { bufferMemory } from "../../../agent/stack/memory";
import { openHeap } from "../../../agent/stack/v8-heap";
import { readString } from "../../../agent/stack/v8-strings";
import { base, runningV8, SyntheticHeap, smi } from "./v8-synthetic";

const v8 = runningV8();
const { strings } = v8;

function read(build: (heap: SyntheticHeap) => number, max?: number): string | null {
  const synthetic = new SyntheticHeap(v8);
  const string = build(synthetic);
  return readString(openHeap(synthetic.memory, v8), string, max);
}

describe("readString", () => {
  test("reads one and two bytes a character", () => {
    expect(read((heap) => heap.string("größe"))).toBe("größe");
    expect(read((heap) => heap.string("ключ 日本", "utf16le"))).toBe("ключ 日本");
  });

  test("puts the parts of a nested cons string in order", () => {
    const text = read((heap) => {
      const left = heap.cons(heap.string("a"), heap.string("bc"), 3);
      return heap.cons(left, heap.cons(heap.string("de"), heap.string("f"), 3), 6);
    });
    expect(text).toBe("abcdef");
  });

  test("reads the part of its parent that a sliced string is", () => {
    const text = read((heap) => {
      const sliced = heap.object(strings.oneByteTag | strings.slicedTag, 32);
      heap.uint32(sliced, strings.length, 3);
      heap.word(sliced, strings.slicedParent, BigInt(heap.string("abcdefgh")));
      heap.word(sliced, strings.slicedOffset, smi(2));
      return sliced;
    });
    expect(text).toBe("cde");
  });

  test("reads a slice that spans both parts of a cons string", () => {
    const text = read((heap) => {
      const sliced = heap.object(strings.oneByteTag | strings.slicedTag, 32);
      heap.uint32(sliced, strings.length, 4);
      const parent = heap.cons(heap.string("abc"), heap.string("def"), 6);
      heap.word(sliced, strings.slicedParent, BigInt(parent));
      heap.word(sliced, strings.slicedOffset, smi(1));
      return sliced;
    });
    expect(text).toBe("bcde");
  });

  test("follows a thin string and an external one", () => {
    const text = read((heap) => {
      const thin = heap.object(strings.oneByteTag | strings.thinTag, 24);
      heap.uint32(thin, strings.length, 4);
      const external = heap.object(strings.oneByteTag | strings.externalTag, 32);
      heap.uint32(external, strings.length, 4);
      const characters = heap.string("node") - 1 + strings.chars;
      heap.word(external, strings.externalResource + 8, BigInt(characters));
      heap.word(thin, strings.thinActual, BigInt(external));
      return thin;
    });
    expect(text).toBe("node");
  });

  test("cuts a long string at the limit", () => {
    expect(read((heap) => heap.string("x".repeat(3000)))).toHaveLength(1024);
    expect(read((heap) => heap.string("abcdef"), 2)).toBe("ab");
  });

  test("refuses a length of 4 GiB, an uncached external string, and what is no string", () => {
    expect(read((heap) => heap.string("abc", "latin1", 0xffff_ffff))).toBeNull();
    expect(read((heap) => heap.object(0x10 | strings.externalTag, 32))).toBeNull();
    expect(read((heap) => heap.object(v8.types.script, 64))).toBeNull();
  });

  test("ends on a cons string that contains itself, and on thin strings in a circle", () => {
    const cyclicCons = read((heap) => {
      const cons = heap.cons(1, 1, 8);
      heap.word(cons, strings.consFirst, BigInt(cons));
      heap.word(cons, strings.consSecond, BigInt(cons));
      return cons;
    });
    const cyclicThin = read((heap) => {
      const thin = heap.object(strings.oneByteTag | strings.thinTag, 24);
      heap.uint32(thin, strings.length, 8);
      heap.word(thin, strings.thinActual, BigInt(thin));
      return thin;
    });
    expect([cyclicCons, cyclicThin]).toEqual([null, null]);
  });

  test("gives a string no longer than the limit, or null, for any memory", () => {
    const pointers = fc.nat(60).map((slot) => BigInt(base + slot * 8 + 1));
    const words = fc.oneof(pointers, fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(64).map(BigInt));
    fc.assert(
      fc.property(
        fc.array(words, { minLength: 64, maxLength: 64 }),
        fc.nat(60),
        (content, slot) => {
          const buffer = Buffer.alloc(512);
          for (const [index, word] of content.entries()) buffer.writeBigUInt64LE(word, index * 8);
          const heap = openHeap(bufferMemory(address(base), buffer), v8);
          const text = readString(heap, base + slot * 8 + 1, 100);
          expect(text === null || text.length <= 100).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
