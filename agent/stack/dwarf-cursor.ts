// A reading position in a piece of DWARF data. Reading past the end gives zeros and marks the cursor
// broken instead of throwing, so a parser checks once, when it is done. Watchdog thread.
// Encodings: DWARF 5 section 7.6 (LEB128); pointer encodings: LSB Core 5.0, 10.5.1.

import { wordOf } from "./memory";

export interface Cursor {
  readonly data: Buffer;
  at: number;
  readonly end: number;
  /** Something was read that is not there, or is encoded in a way that is not known here. */
  broken: boolean;
}

export const cursorOn = (data: Buffer, at = 0, end = data.length): Cursor => ({
  data,
  at,
  end: Math.min(end, data.length),
  broken: false,
});

export const atEnd = (cursor: Cursor): boolean => cursor.broken || cursor.at >= cursor.end;

export const readU8 = (cursor: Cursor): number => take(cursor, 1, (data, at) => data.readUInt8(at));
export const readI8 = (cursor: Cursor): number => take(cursor, 1, (data, at) => data.readInt8(at));
export const readU16 = (cursor: Cursor): number =>
  take(cursor, 2, (data, at) => data.readUInt16LE(at));
export const readI16 = (cursor: Cursor): number =>
  take(cursor, 2, (data, at) => data.readInt16LE(at));
export const readU32 = (cursor: Cursor): number =>
  take(cursor, 4, (data, at) => data.readUInt32LE(at));
export const readI32 = (cursor: Cursor): number =>
  take(cursor, 4, (data, at) => data.readInt32LE(at));
/** Unsigned, rounded above 2^53. */
export const readU64 = (cursor: Cursor): number => take(cursor, 8, wordOf);
/** Signed, rounded beyond 2^53. */
export const readI64 = (cursor: Cursor): number =>
  take(cursor, 8, (data, at) => Number(data.readBigInt64LE(at)));

/** `length` bytes as a view, empty when they are not all there. */
export function readBytes(cursor: Cursor, length: number): Buffer {
  if (length > cursor.end - cursor.at) cursor.broken = true;
  if (cursor.broken) return Buffer.alloc(0);
  cursor.at += length;
  return cursor.data.subarray(cursor.at - length, cursor.at);
}

/** A 64-bit LEB128 has ten bytes at most; a longer one breaks the cursor. */
const leb128BytesMax = 10;

export const readUleb = (cursor: Cursor): number => readLeb(cursor).value;

export function readSleb(cursor: Cursor): number {
  const { value, weight, negative } = readLeb(cursor);
  return negative ? value - weight : value;
}

function readLeb(cursor: Cursor): { value: number; weight: number; negative: boolean } {
  let value = 0;
  let weight = 1;
  for (let count = 0; count < leb128BytesMax; count += 1) {
    const byte = readU8(cursor);
    value += (byte & 0x7f) * weight;
    weight *= 128;
    if ((byte & 0x80) === 0) return { value, weight, negative: (byte & 0x40) !== 0 };
  }
  cursor.broken = true;
  return { value: 0, weight: 1, negative: false };
}

const omitted = 0xff;
const indirect = 0x80;

/**
 * A DW_EH_PE pointer. `vaddr` is the address of the cursor's data[0], for the pc-relative form, and
 * `dataBase` the base of the data-relative form. Null where the encoding says "omitted"; the
 * indirect form (personality routines only) gives the address of the slot.
 */
export function readPointer(
  cursor: Cursor,
  encoding: number,
  vaddr: number,
  dataBase: number,
): number | null {
  if (encoding === omitted) return null;
  const here = vaddr + cursor.at;
  const value = readFormat(cursor, encoding & 0x0f);
  switch (encoding & ~indirect & 0x70) {
    case 0x00:
      return value;
    case 0x10:
      return here + value;
    case 0x30:
      return dataBase + value;
    default:
      cursor.broken = true;
      return null;
  }
}

function readFormat(cursor: Cursor, format: number): number {
  switch (format) {
    case 0x00: // absptr
    case 0x04:
      return readU64(cursor);
    case 0x01:
      return readUleb(cursor);
    case 0x02:
      return readU16(cursor);
    case 0x03:
      return readU32(cursor);
    case 0x09:
      return readSleb(cursor);
    case 0x0a:
      return readI16(cursor);
    case 0x0b:
      return readI32(cursor);
    case 0x0c:
      return readI64(cursor);
    default:
      cursor.broken = true;
      return 0;
  }
}

function take(cursor: Cursor, length: number, get: (data: Buffer, at: number) => number): number {
  if (cursor.broken || length > cursor.end - cursor.at) {
    cursor.broken = true;
    return 0;
  }
  cursor.at += length;
  return get(cursor.data, cursor.at - length);
}
