// Typed reading of V8's heap in this process's memory: tagged words, small integers, maps, arrays.
// Watchdog thread. Null everywhere means "not readable, or not what the format says"; the heap is
// never assumed to be sound, since a stale pointer leads anywhere.
// Tagging: include/v8-internal.h at the tags in v8-versions.ts (64 bit, no pointer compression).

import { address, bytes } from "../model/units";
import { type Memory, wordOf } from "./memory";
import type { V8Metadata } from "./v8-metadata";

/** A tagged pointer to a heap object, tag included; below 2^48. */
export type Tagged = number;

export interface V8Heap {
  readonly v8: V8Metadata;
  readonly memory: Memory;
  /** Bytes at `offset` of the object; null when not readable. */
  bytes(object: Tagged, offset: number, length: number): Buffer | null;
  /** The tagged pointer in a field; null when it is none. A weak pointer is given as a strong one. */
  pointer(object: Tagged, offset: number): Tagged | null;
  /** The small integer in a field; null when it is none. */
  smi(object: Tagged, offset: number): number | null;
  uint32(object: Tagged, offset: number): number | null;
  /** Map::instance_type; null when the word at `object` is no map. */
  typeOf(object: Tagged): number | null;
  isType(object: Tagged | null, type: number | null): object is Tagged;
}

/** Maps met in one examination: a few dozen. */
const mapsRemembered = 1024;
const addressEnd = 2 ** 48;
const lowest = 2 ** 16;

/** A reader for one examination: it remembers maps, which a garbage collection may move. */
export function openHeap(memory: Memory, v8: V8Metadata): V8Heap {
  const types = new Map<number, number | null>();
  const read = (object: Tagged, offset: number, length: number): Buffer | null => {
    const result = memory.read(address(object - 1 + offset), bytes(length));
    return result.ok ? result.value : null;
  };
  const pointer = (object: Tagged, offset: number): Tagged | null => {
    const field = read(object, offset, 8);
    return field === null ? null : taggedPointer(wordOf(field, 0));
  };
  const typeOf = (object: Tagged): number | null => {
    const map = pointer(object, 0);
    if (map === null) return null;
    const known = types.get(map);
    if (known !== undefined) return known;
    const field = read(map, v8.fields.mapInstanceType, 2);
    const type = field === null ? null : field.readUInt16LE(0);
    if (types.size < mapsRemembered) types.set(map, type);
    return type;
  };
  return {
    v8,
    memory,
    bytes: read,
    pointer,
    smi: (object, offset) => {
      const field = read(object, offset, 8);
      return field === null ? null : smiIn(field, 0);
    },
    uint32: (object, offset) => read(object, offset, 4)?.readUInt32LE(0) ?? null,
    typeOf,
    isType: (object, type): object is Tagged =>
      object !== null && type !== null && typeOf(object) === type,
  };
}

/** The pointer that a word is, with the weak bit (tag 3) cleared; null for anything else. */
export function taggedPointer(word: number): Tagged | null {
  if (word < lowest || word >= addressEnd || word % 2 !== 1) return null;
  return word % 4 === 3 ? word - 2 : word;
}

/** The small integer stored at `at`: the upper half of a word whose lower half is zero. */
export function smiIn(buffer: Buffer, at: number): number | null {
  return buffer.readUInt32LE(at) === 0 ? buffer.readInt32LE(at + 4) : null;
}

/** The length of a FixedArray, ByteArray or BytecodeArray; null when it is not in [0, max]. */
export function arrayLength(heap: V8Heap, array: Tagged, max: number): number | null {
  const length = heap.smi(array, heap.v8.fields.arrayLength);
  return length === null || length < 0 || length > max ? null : length;
}

/** The content of a byte array of at most `max` bytes; null when `array` is none. */
export function byteArrayContent(heap: V8Heap, array: Tagged | null, max: number): Buffer | null {
  if (array === null) return null;
  const type = heap.typeOf(array);
  if (type === null || !heap.v8.types.byteArrays.includes(type)) return null;
  const length = arrayLength(heap, array, max);
  if (length === null) return null;
  if (length === 0) return Buffer.alloc(0);
  return readLong(heap, array, heap.v8.fields.arrayData, length);
}

/** One `Memory.read` gives 64 KiB at most. */
const pieceBytes = 65_536;

/** More than one piece in a row; null when any of it is not readable. */
export function readLong(
  heap: V8Heap,
  object: Tagged,
  offset: number,
  length: number,
): Buffer | null {
  if (length <= pieceBytes) return heap.bytes(object, offset, length);
  const pieces: Buffer[] = [];
  for (let done = 0; done < length; done += pieceBytes) {
    const piece = heap.bytes(object, offset + done, Math.min(pieceBytes, length - done));
    if (piece === null) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
