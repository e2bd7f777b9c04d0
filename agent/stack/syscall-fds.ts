// Which file descriptors a blocked system call waits on, from its arguments and, for the calls that
// take a list, from the list in the thread's memory. Watchdog thread.
// Arguments: the section 2 page of each call; structures: poll(2), select(2) of Linux on 64 bits.

import { fail, type Result, succeed } from "../model/result";
import { address, bytes } from "../model/units";
import type { Memory } from "./memory";

/** More than a blocked thread plausibly waits for by poll; the kernel's own limit is RLIMIT_NOFILE. */
const fdsMax = 1024;
const pollfdBytes = 8;
/** FD_SETSIZE of glibc and musl; the kernel would accept more. */
const selectFdsMax = 1024;

/** Calls whose first argument is the descriptor that they wait on. */
const firstArgumentCalls: ReadonlySet<string> = new Set([
  "accept",
  "accept4",
  "close",
  "connect",
  "copy_file_range",
  "epoll_pwait",
  "epoll_pwait2",
  "epoll_wait",
  "fallocate",
  "fcntl",
  "fdatasync",
  "flock",
  "fstat",
  "fsync",
  "ftruncate",
  "getdents",
  "getdents64",
  "ioctl",
  "mq_timedreceive",
  "mq_timedsend",
  "pread64",
  "preadv",
  "preadv2",
  "pwrite64",
  "pwritev",
  "pwritev2",
  "read",
  "readv",
  "recvfrom",
  "recvmmsg",
  "recvmsg",
  "sendmmsg",
  "sendmsg",
  "sendto",
  "shutdown",
  "splice",
  "sync_file_range",
  "syncfs",
  "tee",
  "vmsplice",
  "write",
  "writev",
]);

/**
 * The descriptors, as `proc_pid_syscall(5)` and the call's memory tell them; empty for a call that
 * waits on none (nanosleep, futex, wait4). `args` are its six arguments as 64-bit values, of either sign.
 * Descriptors that poll ignores (negative ones) are left out. An epoll call gives the epoll
 * descriptor itself: what it watches stands in proc_pid_fdinfo(5), not in memory.
 */
export function blockedFds(
  name: string,
  args: readonly number[],
  memory: Memory,
): Result<readonly number[]> {
  const [first = 0, second = 0, third = 0, fourth = 0] = args;
  if (firstArgumentCalls.has(name)) return oneFd(name, first);
  switch (name) {
    case "poll":
    case "ppoll":
      return pollFds(memory, first, second);
    case "select":
    case "pselect6":
      return selectFds(memory, first, [second, third, fourth]);
    case "sendfile":
      // The destination is what a slow peer keeps full; the source is a file.
      return oneFd(name, first);
    default:
      return succeed([]);
  }
}

/** An int in a 64-bit register: its upper half is not defined by the ABI. */
function oneFd(name: string, argument: number): Result<readonly number[]> {
  const fd = argument | 0;
  return fd >= 0 ? succeed([fd]) : fail("malformed", `${name} on a negative descriptor`);
}

/** struct pollfd { int fd; short events; short revents; } */
function pollFds(memory: Memory, at: number, count: number): Result<readonly number[]> {
  if (count === 0) return succeed([]);
  if (count < 0 || count > fdsMax) return fail("limit", `poll of ${count} descriptors`);
  const list = memory.read(address(at), bytes(count * pollfdBytes));
  if (!list.ok) return list;
  const fds: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const fd = list.value.readInt32LE(index * pollfdBytes);
    if (fd >= 0) fds.push(fd);
  }
  return succeed(fds);
}

/**
 * Three bit sets (readable, writable, exceptional), each may be absent. The kernel writes its
 * results into them only on return, so while the thread is blocked they hold the question.
 */
function selectFds(
  memory: Memory,
  countArgument: number,
  sets: readonly number[],
): Result<readonly number[]> {
  const count = countArgument | 0;
  if (count < 0 || count > selectFdsMax) return fail("limit", `select of ${count} descriptors`);
  const fds = new Set<number>();
  for (const at of sets) {
    if (at === 0 || count === 0) continue;
    const set = memory.read(address(at), bytes(Math.ceil(count / 64) * 8));
    if (!set.ok) return set;
    for (const fd of membersOf(set.value, count)) fds.add(fd);
  }
  return succeed([...fds].sort((a, b) => a - b));
}

/** Bit n of the set stands for descriptor n. */
function membersOf(set: Buffer, count: number): number[] {
  const all = Array.from({ length: count }, (_, fd) => fd);
  return all.filter((fd) => (((set[fd >> 3] ?? 0) >> (fd & 7)) & 1) === 1);
}
