// Builds small pieces of a V8 heap and stack in a buffer, with the constants of the running node, so
// that sound and damaged ones can be tried. Holds no test.

import { address } from "../../../agent/model/units";
import { openElf } from "../../../agent/stack/elf";
import { bufferMemory, type Memory, selfExecutablePath } from "../../../agent/stack/memory";
import { loadV8Metadata, type V8Metadata } from "../../../agent/stack/v8-metadata";

export const base = 0x10_0000_0000;

/** The constants of the node that runs the tests. */
export function runningV8(): V8Metadata {
  const elf = openElf(selfExecutablePath);
  if (!elf.ok) throw new Error(elf.detail);
  const v8 = loadV8Metadata(elf.value);
  elf.value.close();
  if (!v8.ok) throw new Error(v8.detail);
  return v8.value;
}

export const smi = (value: number): bigint => BigInt.asUintN(64, BigInt(value) << 32n);

/** A buffer that objects are laid into one after the other; addresses are tagged. */
export class SyntheticHeap {
  readonly memory: Memory;
  private readonly buffer = Buffer.alloc(65_536);
  private readonly maps = new Map<number, number>();
  private next = 64;
  private readonly v8: V8Metadata;

  constructor(v8: V8Metadata) {
    this.v8 = v8;
    this.memory = bufferMemory(address(base), this.buffer);
  }

  /** An object of the instance type, all zeros but for its map; returns the tagged pointer. */
  object(type: number, size: number): number {
    const map = this.mapOf(type);
    const object = this.allocate(size);
    this.word(object, 0, BigInt(map));
    return object;
  }

  word(object: number, offset: number, value: bigint): void {
    this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), object - 1 - base + offset);
  }

  uint32(object: number, offset: number, value: number): void {
    this.buffer.writeUInt32LE(value, object - 1 - base + offset);
  }

  /** A sequential string with `encoding`'s bytes; `length` is what it claims, if not the truth. */
  string(text: string, encoding: "latin1" | "utf16le" = "latin1", length = text.length): number {
    const { strings } = this.v8;
    const bytes = Buffer.from(text, encoding);
    const object = this.object(encoding === "latin1" ? strings.oneByteTag : 0, 16 + bytes.length);
    this.uint32(object, strings.length, length);
    bytes.copy(this.buffer, object - 1 - base + strings.chars);
    return object;
  }

  /** A cons string of two parts, which may be set later. */
  cons(first: number, second: number, length: number): number {
    const { strings } = this.v8;
    const object = this.object(strings.oneByteTag | strings.consTag, 32);
    this.uint32(object, strings.length, length);
    this.word(object, strings.consFirst, BigInt(first));
    this.word(object, strings.consSecond, BigInt(second));
    return object;
  }

  private mapOf(type: number): number {
    const known = this.maps.get(type);
    if (known !== undefined) return known;
    const map = this.allocate(80);
    this.buffer.writeUInt16LE(type, map - 1 - base + this.v8.fields.mapInstanceType);
    this.maps.set(type, map);
    return map;
  }

  private allocate(size: number): number {
    const at = this.next;
    this.next += (size + 15) & ~7;
    return base + at + 1;
  }
}
