// Where the bytes of an ELF image come from: a file read piece by piece (a node binary has 100 MB;
// it is never read whole), or a buffer (the vDSO, tests). Watchdog thread.

import * as fs from "node:fs";
import { fail, type Result, succeed } from "../model/result";

export interface ElfBytes {
  readonly size: number;
  /** Exactly `length` bytes at file offset `offset`; never fewer. */
  read(offset: number, length: number): Result<Buffer>;
  /** Fills `into` from `offset`: for passes over large tables, without an allocation per piece. */
  fill(offset: number, into: Uint8Array): Result<void>;
  close(): void;
}

/** Larger than any header table, FDE or symbol-table piece that is read at once. */
const pieceBytesMax = 1_048_576;

/** Opens a regular file; anything else at that path (a device, a FIFO that would block us) is refused. */
export function openFileBytes(path: string): Result<ElfBytes> {
  let fd: number | null = null;
  try {
    // O_NONBLOCK keeps the open itself from waiting for a FIFO's writer.
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (stat.isFile()) return succeed(fileBytes(path, fd, stat.size));
    fs.closeSync(fd);
    return fail("unsupported", `${path} is no regular file`);
  } catch (error) {
    if (fd !== null) fs.closeSync(fd);
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return fail(code === "EACCES" || code === "EPERM" ? "denied" : "gone", `${path}: ${code}`);
  }
}

/** The whole image in memory. */
export function bufferBytes(buffer: Buffer): ElfBytes {
  const read = (offset: number, length: number): Result<Buffer> =>
    inside(buffer.length, offset, length)
      ? succeed(buffer.subarray(offset, offset + length))
      : outside(offset, length);
  const fill = (offset: number, into: Uint8Array): Result<void> => {
    if (!inside(buffer.length, offset, into.length)) return outside(offset, into.length);
    into.set(buffer.subarray(offset, offset + into.length));
    return succeed(undefined);
  };
  return { size: buffer.length, read, fill, close: () => undefined };
}

function fileBytes(path: string, fd: number, size: number): ElfBytes {
  const fill = (offset: number, into: Uint8Array): Result<void> => {
    if (!inside(size, offset, into.length)) return outside(offset, into.length);
    try {
      const got = fs.readSync(fd, into, 0, into.length, offset);
      return got === into.length ? succeed(undefined) : fail("gone", `${path} became shorter`);
    } catch (error) {
      return fail("gone", `${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const read = (offset: number, length: number): Result<Buffer> => {
    if (length > pieceBytesMax) return fail("limit", `${length} bytes of ${path} at once`);
    if (!inside(size, offset, length)) return outside(offset, length);
    const buffer = Buffer.allocUnsafe(length);
    const done = fill(offset, buffer);
    return done.ok ? succeed(buffer) : done;
  };
  return { size, read, fill, close: () => fs.closeSync(fd) };
}

/** Safe against overflow: every term is checked before it is added. */
function inside(size: number, offset: number, length: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset <= size &&
    length <= size - offset
  );
}

const outside = (offset: number, length: number): Result<never> =>
  fail("malformed", `${length} bytes at ${offset} lie outside the file`);
