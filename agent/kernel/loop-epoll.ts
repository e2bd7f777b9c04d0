// Is a thread asleep in its own event loop's epoll? "In epoll_wait" alone does not say so: during
// execSync the main thread waits in a second, short-lived loop with an epoll of its own. Pure, but
// for listEpollFds().

import { type Result, succeed } from "../model/result";
import type { SyscallState } from "../model/snapshot";
import { readFdTarget } from "./fd-target";
import type { ProcRoot } from "./proc-root";
import { syscallName } from "./syscall-names";
import { argInt32 } from "./task-syscall";
import { parseDecimal } from "./text";

/**
 * - `idle`: it waits in its loop's epoll; no handler is running.
 * - `foreign-epoll`: it waits in another epoll, as in execSync: the loop is blocked.
 * - `elsewhere`: running, or asleep somewhere else.
 * - `undetermined`: it waits in an epoll, and the loop's is not known.
 */
export type LoopWait = "idle" | "foreign-epoll" | "elsewhere" | "undetermined";

/**
 * @param loopEpollFds the loop's own: one that was seen while the loop was known to be idle, or all of
 *   listEpollFds() at preload time. Empty when not known.
 *
 * With io_uring, libuv registers the ring in the same epoll and goes on sleeping there. A thread that
 * was stopped (state T) keeps showing the call it was stopped in: look at its state as well.
 */
export function loopWait(
  state: SyscallState,
  arch: string,
  loopEpollFds: ReadonlySet<number>,
): LoopWait {
  const fd = epollFdOf(state, arch);
  if (fd === null) return "elsewhere";
  if (loopEpollFds.size === 0) return "undetermined";
  return loopEpollFds.has(fd) ? "idle" : "foreign-epoll";
}

/** The epoll descriptor that a thread sleeps on; null when it does not sleep in epoll. */
export function epollFdOf(state: SyscallState, arch: string): number | null {
  if (state.kind !== "blocked" || !EPOLL_WAITS.has(syscallName(arch, state.number))) return null;
  return argInt32(state.args, 0);
}

/**
 * Every epoll descriptor that is open in this process. Taken on the main thread while it is preloading,
 * the list has its loop's and those of Node's own helper threads, which the main thread never waits
 * on, and none of execSync's: an epoll descriptor outside it is a foreign one from then on. Costs one
 * readlink(2) for each open descriptor: 1 to 4 ms in a process that starts.
 */
export function listEpollFds(proc: ProcRoot): Result<readonly number[]> {
  const names = proc.list("self/fd", FDS_LISTED_MAX);
  if (!names.ok) return names;
  const fds = names.value.map(parseDecimal).filter((fd) => fd !== null);
  return succeed(fds.filter((fd) => isEpoll(proc, fd)));
}

function isEpoll(proc: ProcRoot, fd: number): boolean {
  // A descriptor that closed in the meantime is no epoll of a loop that goes on.
  const target = readFdTarget(proc, fd);
  return target.ok && target.value.kind === "anon" && target.value.what === "eventpoll";
}

/** A process that starts has 20 to 40; one that inherited more than this is left undetermined. */
const FDS_LISTED_MAX = 4096;

/** libuv uses epoll_pwait; the others are for bindings with a loop of their own. */
const EPOLL_WAITS: ReadonlySet<string> = new Set(["epoll_wait", "epoll_pwait", "epoll_pwait2"]);
