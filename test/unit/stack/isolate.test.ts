import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { address, bytes } from "../../../agent/model/units";
import { findIsolates } from "../../../agent/stack/isolate";
import { bufferMemory } from "../../../agent/stack/memory";
import { runningV8 } from "./v8-synthetic";

const v8 = runningV8();
const base = 0x10_0000_0000;
const stackBytes = 4096;
const heapAt = base + stackBytes;

/** A stack and, above it, objects; isolates hold their own address where V8's do. */
function process(isolates: readonly number[]) {
  const buffer = Buffer.alloc(65_536);
  const put = (at: number, value: number) => buffer.writeBigUInt64LE(BigInt(value), at - base);
  for (const isolate of isolates) {
    put(isolate + 8, isolate);
    // All versions: in ThreadLocalTop before or after c_entry_fp.
    for (const distance of [-0x70, 0x60])
      put(isolate + v8.layout.isolateCEntryFp + distance, isolate);
  }
  const find = (metadata = v8) =>
    findIsolates(bufferMemory(address(base), buffer), metadata, {
      sp: address(base),
      high: address(base + stackBytes),
    });
  return { put, buffer, find };
}

test("an isolate that the stack points to is found, and so is one behind an object of Node's", () => {
  const [own, behind, object] = [heapAt + 4096, heapAt + 16_384, heapAt + 64];
  const { put, find } = process([own, behind]);
  put(base + 800, own);
  put(base + 1600, object);
  put(object + 256, behind);
  expect(find()).toEqual([own, behind]);
});

test("an object that holds its own address once is no isolate", () => {
  const list = heapAt + 4096;
  const { put, find } = process([]);
  put(list + 8, list);
  put(base + 800, list);
  expect(find()).toEqual([]);
});

test("a version of V8 that is not in the table finds none", () => {
  const own = heapAt + 4096;
  const { put, find } = process([own]);
  put(base + 800, own);
  expect(find({ ...v8, version: "99.9.1" })).toEqual([]);
});

test("whatever the memory holds, the search ends and gives only what holds its own address", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 512, maxLength: 4096 }), (noise) => {
      const own = heapAt + 4096;
      const { put, buffer, find } = process([own]);
      buffer.set(noise, 0);
      put(base, own);
      const found = find();
      expect(found).toContain(own);
      const memory = bufferMemory(address(base), buffer);
      for (const isolate of found) {
        const read = memory.read(address(isolate + 8), bytes(8));
        expect(read.ok && read.value.readBigUInt64LE()).toBe(BigInt(isolate));
      }
    }),
    { numRuns: 50 },
  );
});
