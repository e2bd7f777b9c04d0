// Reads this process's own memory, for the watchdog thread. With agent/kernel/proc-root.ts this is
// the only file that opens /proc. It never dereferences anything itself: the kernel does, and a bad
// address comes back as an error instead of a crash.

import * as fs from "node:fs";
import { fail, type Result, succeed, type Why } from "../model/result";
import { type Address, address, type Bytes, bytes } from "../model/units";

export interface Memory {
  /** Exactly `length` bytes from `at`, or why not; never a shorter buffer. */
  read(at: Address, length: Bytes): Result<Buffer>;
  /**
   * One little-endian 64-bit word. Values above 2^53 are rounded: such a word is no address, and
   * range checks refuse it. A caller that needs all 64 bits uses `read`.
   */
  word(at: Address): Result<number>;
}

/** The running executable, still readable when its file was replaced or deleted; proc_pid_exe(5). */
export const selfExecutablePath = "/proc/self/exe";

const selfMemoryPath = "/proc/self/mem";
const wordBytes = bytes(8);
/** One stack examination never needs more in one piece; a larger length is a misread one. */
const readBytesMax = bytes(65_536);
/** User space ends at 2^47 on x86-64 and 2^48 on arm64 (kernel Documentation/arch/arm64/memory.rst). */
const addressMax = 2 ** 48;
const pageBytes = 4096;

/**
 * Opens proc_pid_mem(5) of this process. A thread may always read its own process, so `denied` means
 * a sandbox (seccomp, an LSM, or no /proc). The caller closes it.
 */
export function openSelfMemory(): Result<Memory & { close(): void }> {
  let fd: number;
  try {
    fd = fs.openSync(selfMemoryPath, "r");
  } catch (error) {
    return fail(whyOf(error), `${selfMemoryPath}: ${codeOf(error)}`);
  }
  const read = (at: Address, length: Bytes): Result<Buffer> => {
    const refusal = refuse(at, length);
    if (refusal !== null) return refusal;
    const buffer = Buffer.allocUnsafe(length);
    try {
      const got = fs.readSync(fd, buffer, 0, length, at);
      return got === length
        ? succeed(buffer)
        : fail("gone", `${hex(at)}: ${got} of ${length} bytes`);
    } catch (error) {
      return fail(whyOf(error), `${hex(at)}: ${codeOf(error)}`);
    }
  };
  return succeed({ read, word: wordReader(read), close: () => fs.closeSync(fd) });
}

/** Memory that consists of `buffer` at `base` and nothing else: recorded pages, tests, the vDSO. */
export function bufferMemory(base: Address, buffer: Buffer): Memory {
  return joinedMemory([{ base, buffer }]);
}

/** Memory of which nothing can be read. */
export const noMemory: Memory = joinedMemory([]);

/** Memory that consists of several recorded pieces; a read across two of them fails. */
export function joinedMemory(
  pieces: readonly { readonly base: Address; readonly buffer: Buffer }[],
): Memory {
  const read = (at: Address, length: Bytes): Result<Buffer> => {
    const refusal = refuse(at, length);
    if (refusal !== null) return refusal;
    for (const { base, buffer } of pieces) {
      const start = at - base;
      if (start >= 0 && start + length <= buffer.length) {
        return succeed(buffer.subarray(start, start + length));
      }
    }
    return fail("gone", `${hex(at)}: ${length} bytes are not in the recording`);
  };
  return { read, word: wordReader(read) };
}

/**
 * The same memory, refusing with `limit` once `totalBytes` have been asked for. One budget serves one
 * examination, so that no stack, however mangled, can keep the watchdog reading.
 */
export function withBudget(memory: Memory, totalBytes: Bytes): Memory {
  let left: number = totalBytes;
  const read = (at: Address, length: Bytes): Result<Buffer> => {
    if (length > left) return fail("limit", `the budget of ${totalBytes} bytes is used up`);
    left -= Math.max(length, 0);
    return memory.read(at, length);
  };
  return { read, word: wordReader(read) };
}

/**
 * The same memory, read by whole pages that are kept: words of one stack then cost one read a page,
 * and all of them are seen as they were at one moment. For one examination only; `pagesMax` pages at
 * most are kept, and reads longer than a page or beyond that number go straight through.
 */
export function withPages(memory: Memory, pagesMax = 64): Memory {
  const pages = new Map<number, Result<Buffer>>();
  const pageAt = (base: number): Result<Buffer> | null => {
    const kept = pages.get(base);
    if (kept !== undefined) return kept;
    if (pages.size >= pagesMax) return null;
    const page = memory.read(address(base), bytes(pageBytes));
    pages.set(base, page);
    return page;
  };
  const read = (at: Address, length: Bytes): Result<Buffer> => {
    const base = at - (at % pageBytes);
    if (!(length > 0 && at + length <= base + pageBytes)) return memory.read(at, length);
    const page = pageAt(base);
    // Recorded memory need not hold whole pages, so a page that fails is tried as asked.
    if (page === null || !page.ok) return memory.read(at, length);
    return succeed(page.value.subarray(at - base, at - base + length));
  };
  return { read, word: wordReader(read) };
}

function wordReader(read: Memory["read"]): Memory["word"] {
  return (at) => {
    const result = read(at, wordBytes);
    return result.ok ? succeed(wordOf(result.value, 0)) : result;
  };
}

/** The 64-bit little-endian word at `offset`, rounded above 2^53. */
export function wordOf(buffer: Buffer, offset: number): number {
  return buffer.readUInt32LE(offset) + buffer.readUInt32LE(offset + 4) * 2 ** 32;
}

function refuse(at: Address, length: Bytes): Result<never> | null {
  // A position of -1 would make fs.readSync read from the current offset, so this also guards that.
  if (!Number.isInteger(at) || at <= 0 || at >= addressMax) {
    return fail("malformed", `${at} is no user-space address`);
  }
  if (!Number.isInteger(length) || length <= 0) return fail("malformed", `a length of ${length}`);
  if (length > readBytesMax) return fail("limit", `${length} bytes in one read`);
  return null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function whyOf(error: unknown): Why {
  const code = codeOf(error);
  return code === "EACCES" || code === "EPERM" ? "denied" : "gone";
}

const hex = (at: number): string => `0x${at.toString(16)}`;
