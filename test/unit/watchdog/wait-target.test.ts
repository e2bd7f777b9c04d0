// What can be said of a wait from arguments, memory and /proc, and that what cannot be read is left unsaid.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseEpollMembers } from "../../../agent/kernel/epoll-members";
import { findHolder } from "../../../agent/kernel/file-locks";
import { createProcRoot } from "../../../agent/kernel/proc-root";
import type { SyscallArgs } from "../../../agent/model/snapshot";
import { address } from "../../../agent/model/units";
import { bufferMemory, noMemory } from "../../../agent/stack/memory";
import { waitTarget } from "../../../agent/watchdog/wait-target";

const root = mkdtempSync(join(tmpdir(), "loophound-wait-"));
const at = 0x10000;
const pid = 4242;

afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function link(fd: number, target: string): void {
  mkdirSync(join(root, "self/fd"), { recursive: true });
  symlinkSync(target, join(root, `self/fd/${fd}`));
}

function target(name: string, args: readonly number[], memory: Buffer | null = Buffer.alloc(64)) {
  const six = [...args, 0, 0, 0, 0, 0, 0].slice(0, 6) as unknown as SyscallArgs;
  const from = memory === null ? noMemory : bufferMemory(address(at), memory);
  return waitTarget({ proc: createProcRoot(root), pid, memory: from }, name, six);
}

function timespec(seconds: bigint, nanoseconds: bigint): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.writeBigInt64LE(seconds, 0);
  buffer.writeBigInt64LE(nanoseconds, 8);
  return buffer;
}

test("a sleep says how long, unless it says until when", () => {
  expect(target("nanosleep", [at], timespec(0n, 250_000_000n))).toEqual({
    kind: "other",
    what: "a sleep of 250 ms",
  });
  expect(target("clock_nanosleep", [0, 0, at], timespec(2n, 5_000_000n))).toMatchObject({
    what: "a sleep of 2.005 s",
  });
  expect(target("clock_nanosleep", [0, 1, at], timespec(2n, 0n))).toMatchObject({
    what: "a sleep",
  });
  expect(target("nanosleep", [at], null)).toMatchObject({ what: "a sleep" });
  expect(target("poll", [0, 0, 100])).toMatchObject({ what: "a sleep" });
});

test("a child is told by its number, and by its name while it has one", () => {
  put("77/comm", "gzip\n");
  expect(target("wait4", [77])).toMatchObject({ what: "the end of process 77 (gzip)" });
  expect(target("waitid", [1, 78])).toMatchObject({ what: "the end of process 78" });
  expect(target("wait4", [2 ** 32 - 1])).toMatchObject({ what: "the end of a child process" });
  expect(target("waitid", [0, 77])).toMatchObject({ what: "the end of a child process" });
});

test("a lock is told with who holds it, if that is one process", () => {
  link(9, "/srv/job.lock");
  expect(target("flock", [9, 2])).toMatchObject({ what: "the lock on /srv/job.lock" });
  put(
    "locks",
    "1: FLOCK  ADVISORY  WRITE 77 08:01:5 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 4242 08:01:5 0 EOF\n",
  );
  put("77/comm", "cron\n");
  const held = { what: "the lock on /srv/job.lock, held by process 77 (cron)" };
  expect(target("flock", [9, 2])).toMatchObject(held);
  expect(target("fcntl", [9, 7])).toMatchObject(held);
  // F_GETFL waits for no lock.
  expect(target("fcntl", [9, 3])).toEqual({ kind: "file", path: "/srv/job.lock" });
});

test("of several descriptors the one peer counts, else all of them are told", () => {
  link(3, "pipe:[11]");
  link(4, "/dev/tty");
  link(5, "pipe:[12]");
  const list = Buffer.alloc(24);
  for (const [index, fd] of [3, 4, 5].entries()) list.writeInt32LE(fd, 8 * index);
  expect(target("poll", [at, 3, -1], list)).toEqual({
    kind: "other",
    what: "one of 3: a pipe, /dev/tty",
  });
  expect(target("poll", [at, 1, -1], list)).toEqual({ kind: "pipe" });
  put(
    "self/fdinfo/7",
    "pos:\t0\nflags:\t02\ntfd:        4 events:       19 data: 5  pos:0 ino:1 sdev:5\n",
  );
  link(7, "anon_inode:[eventpoll]");
  expect(target("epoll_wait", [7])).toEqual({ kind: "file", path: "/dev/tty" });
});

test("a call on a name says the name, also a long one and one at the end of memory", () => {
  const name = Buffer.from("/mnt/nfs/report\0");
  expect(target("openat", [-100, at], name)).toEqual({ kind: "file", path: "/mnt/nfs/report" });
  expect(target("open", [at], Buffer.alloc(4096, "a"))).toEqual({
    kind: "file",
    path: "a".repeat(256),
  });
  expect(target("statx", [-100, at], null)).toBeNull();
});

test("without memory and without /proc nothing is said that was not read", () => {
  expect(target("poll", [at, 1, -1], null)).toBeNull();
  expect(target("read", [3])).toBeNull();
  expect(target("epoll_wait", [3])).toBeNull();
  expect(target("flock", [3, 2])).toBeNull();
});

test("whatever the arguments, memory and tables hold, there is an answer", () => {
  const name = fc.constantFrom(
    "poll",
    "select",
    "epoll_wait",
    "nanosleep",
    "clock_nanosleep",
    "wait4",
    "waitid",
    "flock",
    "fcntl",
    "openat",
    "futex",
    "read",
  );
  const argument = fc.oneof(
    fc.constantFrom(at, at + 1, at + 60),
    fc.integer(),
    fc.maxSafeInteger(),
  );
  const bytes = fc.uint8Array({ minLength: 8, maxLength: 64 }).map((list) => Buffer.from(list));
  fc.assert(
    fc.property(name, fc.array(argument, { maxLength: 6 }), bytes, (call, args, memory) => {
      expect(typeof target(call, args, memory)).toBe("object");
    }),
  );
});

test("the tables are read in any state", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."0123: ->FLOCK \ntfd") }),
  );
  fc.assert(
    fc.property(text, (table) => {
      expect(parseEpollMembers(table, 8).length).toBeLessThanOrEqual(8);
      expect(findHolder(table, pid).ok).toBe(false);
    }),
  );
});
