// Who holds the file lock that this process waits for. proc_locks(5). Watchdog thread.

import { fail, type Result, succeed } from "../model/result";
import { bytes } from "../model/units";
import type { ProcRoot } from "./proc-root";

/** Thousands of locks of a database are some 100 KiB. */
const locksBytesMax = bytes(1024 * 1024);

/**
 * The process that holds the one lock that a thread of process `pid` waits for. Fails `gone` when none
 * waits, when several do, and for a lock that belongs to an open file and not to a process.
 */
export function lockHolder(proc: ProcRoot, pid: number): Result<number> {
  const text = proc.readText("locks", locksBytesMax);
  return text.ok ? findHolder(text.value, pid) : text;
}

/** "1: FLOCK ADVISORY WRITE 77 08:01:5 0 EOF", and below it "1: -> FLOCK ..." for each who waits for it. */
export function findHolder(text: string, pid: number): Result<number> {
  const locks = text.split("\n").flatMap((line) => {
    const match = /^(\d+): (-> )?\w+ +\w+ +\w+ (-?\d+) /.exec(line);
    if (match === null) return [];
    return [{ id: match[1], waits: match[2] !== undefined, pid: Number(match[3]) }];
  });
  const waiting = locks.filter((lock) => lock.waits && lock.pid === pid);
  const holder = locks.find((lock) => !lock.waits && lock.id === waiting[0]?.id);
  if (waiting.length !== 1 || holder === undefined || holder.pid <= 0) {
    return fail("gone", "the lock's holder is not told");
  }
  return succeed(holder.pid);
}
