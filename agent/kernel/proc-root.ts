// The one door to /proc and to cgroup files. Watchdog thread. Never throws for what the kernel
// answers, never reads without a limit, and never writes.

import { closeSync, opendirSync, openSync, readlinkSync, readSync } from "node:fs";
import { join, normalize } from "node:path";
import { fail, type Result, succeed, type Why } from "../model/result";
import { type Bytes, bytes } from "../model/units";

/** A file kept open, whose content the kernel writes anew whenever it is read at offset 0. */
export interface ReopenableFile {
  /** One pread(2): 1 to 8 microseconds, against 6 to 13 for open, read and close. */
  readText(): Result<string>;
  /** Safe to call again. */
  close(): void;
}

export interface LineScan {
  readonly limitBytes: Bytes;
  /** The longest line that the format allows; a longer one is malformed. At most 2048. */
  readonly lineBytesMax: Bytes;
  /**
   * Called for each line without its newline. Returns whether to go on. The Buffer is the one that
   * all calls use: copy what is to be kept, and call nothing of ProcRoot from here.
   */
  visit(buffer: Buffer, start: number, end: number): boolean;
}

/**
 * Paths are relative to /proc ("self/maps"); an absolute path, which a cgroup mount point gives, is
 * relative to the root of the file system. Every call fails `denied`, `gone`, `limit` or
 * `unsupported`, and never throws.
 */
export interface ProcRoot {
  /** Reads the whole file as UTF-8. Fails `limit` when it is larger than `limit`, 64 KiB by default. */
  readText(path: string, limit?: Bytes): Result<string>;
  readLink(path: string): Result<string>;
  /** Names in a directory, in the kernel's order. Fails `limit` when there are more than `limit`. */
  list(path: string, limit: number): Result<readonly string[]>;
  /** For small files of one record that are polled; see KEPT_BYTES_MAX. */
  keepOpen(path: string): Result<ReopenableFile>;
  /** For long tables: no text is made of them. The value is the number of bytes read. */
  scanLines(path: string, scan: LineScan): Result<Bytes>;
}

/** No file that is read whole by default is near this; maps and tables pass a limit of their own. */
const TEXT_BYTES_MAX = bytes(64 * 1024);
/** task/TID/status is the largest of those polled: 1.4 KiB here, more with hundreds of CPUs. */
const KEPT_BYTES_MAX = bytes(16 * 1024);
const CHUNK_BYTES = 64 * 1024;
/**
 * seq_file hands out one buffer of at least a page per read(2), and stops before the page is full
 * only where the next record does not fit or there is none (fs/seq_file.c seq_read_iter, v6.12).
 */
const SEQ_PAGE_BYTES = 4096;

/**
 * @param root where procfs is mounted; tests pass a recorded tree.
 * @param systemRoot what absolute paths are relative to; tests pass a directory.
 */
export function createProcRoot(root = "/proc", systemRoot = "/"): ProcRoot {
  // One Buffer for everybody: all calls are synchronous and none keeps a view of it.
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const locate = (path: string): string =>
    path.startsWith("/") ? join(systemRoot, normalize(path)) : `${root}/${path}`;
  return {
    readText: (path, limit = TEXT_BYTES_MAX) =>
      withFile(locate(path), path, (fd) => readWhole(fd, path, limit, chunk)),
    readLink: (path) => attempt(path, () => succeed(readlinkSync(locate(path)))),
    list: (path, limit) => attempt(path, () => listNames(locate(path), path, limit)),
    keepOpen: (path) => attempt(path, () => keep(openSync(locate(path), "r"), path, chunk)),
    scanLines: (path, scan) =>
      withFile(locate(path), path, (fd) => scanFile(fd, path, scan, chunk)),
  };
}

function readWhole(fd: number, path: string, limit: Bytes, chunk: Buffer): Result<string> {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return succeed(Buffer.concat(parts, total).toString("utf8"));
    total += count;
    if (total > limit) return fail("limit", `${path} is larger than ${limit} bytes`);
    parts.push(Buffer.from(chunk.subarray(0, count)));
  }
}

function keep(fd: number, path: string, chunk: Buffer): Result<ReopenableFile> {
  let open = true;
  const read = (): Result<string> => {
    const count = readSync(fd, chunk, 0, KEPT_BYTES_MAX, 0);
    if (count === KEPT_BYTES_MAX) return fail("limit", `${path} fills ${KEPT_BYTES_MAX} bytes`);
    // These files are ASCII but for the thread's name, which nobody here looks at.
    return succeed(chunk.toString("latin1", 0, count));
  };
  return succeed({
    readText: () => (open ? attempt(path, read) : fail("gone", `${path} was closed`)),
    close: () => {
      // A second close would hit whatever file got the same number since.
      if (open) closeSync(fd);
      open = false;
    },
  });
}

function listNames(located: string, path: string, limit: number): Result<readonly string[]> {
  const directory = opendirSync(located);
  try {
    const names: string[] = [];
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (names.length === limit) return fail("limit", `${path} has more than ${limit} entries`);
      names.push(entry.name);
    }
    return succeed(names);
  } finally {
    directory.closeSync();
  }
}

function scanFile(fd: number, path: string, scan: LineScan, chunk: Buffer): Result<Bytes> {
  let total = 0;
  let carried = 0;
  for (;;) {
    const count = readSync(fd, chunk, carried, chunk.length - carried, null);
    total += count;
    const filled = carried + count;
    // The kernel walks a whole hash table only to say "end of file" (1.7 ms for net/tcp here), so
    // a read that left room for another line is taken as the last.
    const isLast = count < SEQ_PAGE_BYTES - scan.lineBytesMax;
    const used = visitLines(chunk, filled, isLast, scan);
    if (used === null || isLast) return succeed(bytes(total));
    carried = filled - used;
    if (carried > scan.lineBytesMax) return fail("malformed", `${path} has too long a line`);
    if (total >= scan.limitBytes) {
      return fail("limit", `${path} is larger than ${scan.limitBytes} bytes`);
    }
    chunk.copyWithin(0, used, filled);
  }
}

/** Returns how many bytes were used up, or null when the visitor has seen enough. */
function visitLines(chunk: Buffer, filled: number, isLast: boolean, scan: LineScan): number | null {
  let start = 0;
  while (start < filled) {
    const newline = chunk.indexOf(NEWLINE, start);
    const isComplete = newline !== -1 && newline < filled;
    if (!isComplete && !isLast) return start;
    const end = isComplete ? newline : filled;
    if (!scan.visit(chunk, start, end)) return null;
    start = end + 1;
  }
  return start;
}

function withFile<T>(located: string, path: string, use: (fd: number) => Result<T>): Result<T> {
  return attempt(path, () => {
    const fd = openSync(located, "r");
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Turns an error of the file system into a failed Result; anything else is our own mistake. */
function attempt<T>(path: string, run: () => Result<T>): Result<T> {
  try {
    return run();
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return fail(WHY_OF_ERROR.get(code) ?? "unsupported", `${path}: ${code}`);
  }
}

/** By shape, not by class: an error of another realm (vm, a test runner) is no instance of ours. */
function errorCode(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

const NEWLINE = 0x0a;

const WHY_OF_ERROR: ReadonlyMap<string, Why> = new Map<string, Why>([
  ["EACCES", "denied"],
  ["EPERM", "denied"],
  // Node's own permission model (--permission).
  ["ERR_ACCESS_DENIED", "denied"],
  ["ENOENT", "gone"],
  ["ENOTDIR", "gone"],
  ["ESRCH", "gone"],
  // readlink of task/TID and reads of some files answer so when the thread has just ended.
  ["EINVAL", "gone"],
  ["ENODEV", "gone"],
  ["EMFILE", "limit"],
  ["ENFILE", "limit"],
  ["ENOMEM", "limit"],
]);
