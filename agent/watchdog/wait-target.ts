// What a blocked system call waits on, as far as its arguments, its thread's memory and /proc tell.
// Watchdog thread. Arguments: the section 2 page of each call.

import { epollMembers } from "../kernel/epoll-members";
import { lockHolder } from "../kernel/file-locks";
import type { ProcRoot } from "../kernel/proc-root";
import { type Peer, peerOfFd } from "../kernel/socket-table";
import type { Target } from "../model/evidence";
import type { SyscallArgs } from "../model/snapshot";
import { address, bytes } from "../model/units";
import type { Memory } from "../stack/memory";
import { blockedFds } from "../stack/syscall-fds";

export interface WaitSources {
  readonly proc: ProcRoot;
  readonly pid: number;
  /** Where it cannot be read, calls that keep their list or path in memory have no target. */
  readonly memory: Memory;
}

/** Each costs a look at /proc, a socket up to two milliseconds. */
const descriptorsMax = 8;

/** Null where nothing can be said. */
export function waitTarget(sources: WaitSources, name: string, args: SyscallArgs): Target | null {
  const { memory } = sources;
  switch (name) {
    case "futex":
    case "futex_waitv":
      return other("a lock or condition in memory (futex)");
    case "nanosleep":
      return other(sleepOf(memory, args[0]));
    case "clock_nanosleep":
      return other((args[1] & timerAbsolute) === 0 ? sleepOf(memory, args[2]) : "a sleep");
    case "wait4":
    case "waitid":
      return other(childOf(sources, name, args));
    case "flock":
      return lockOf(sources, args[0]);
    case "fcntl":
      return waitsForLock.has(args[1])
        ? lockOf(sources, args[0])
        : targetOfFds(sources, name, args);
    default:
      return pathOf(memory, name, args) ?? targetOfFds(sources, name, args);
  }
}

/** Calls that wait on a file by its name (a named pipe that nobody has open, a server's file system). */
const pathArgument: ReadonlyMap<string, 0 | 1> = new Map([
  ...(["open", "stat", "lstat", "access", "statfs", "unlink", "readlink"] as const).map(
    (name) => [name, 0] as const,
  ),
  ...(
    ["openat", "openat2", "newfstatat", "statx", "faccessat", "faccessat2", "unlinkat"] as const
  ).map((name) => [name, 1] as const),
]);
/** Longer names are shown without their end; PATH_MAX is 4096. */
const pathBytesMax = 256;

function pathOf(memory: Memory, name: string, args: SyscallArgs): Target | null {
  const index = pathArgument.get(name);
  if (index === undefined) return null;
  const text: number[] = [];
  for (let at = args[index]; text.length < pathBytesMax; at += 8) {
    const piece = memory.read(address(at), bytes(8));
    if (!piece.ok) return null;
    const end = piece.value.indexOf(0);
    text.push(...(end < 0 ? piece.value : piece.value.subarray(0, end)));
    if (end >= 0) break;
  }
  return text.length === 0 ? null : { kind: "file", path: Buffer.from(text).toString("utf8") };
}

const other = (what: string): Target => ({ kind: "other", what });

/** TIMER_ABSTIME: the time given is when to wake, not how long to sleep. */
const timerAbsolute = 1;
/** F_SETLKW, F_OFD_SETLKW: fcntl(2), asm-generic/fcntl.h. */
const waitsForLock: ReadonlySet<number> = new Set([7, 38]);
/** waitid's P_PID, P_PIDFD. */
const byPid = 1;

/** struct timespec: seconds and nanoseconds, 64 bits each. */
function sleepOf(memory: Memory, at: number): string {
  const time = memory.read(address(at), bytes(16));
  if (!time.ok) return "a sleep";
  const seconds = Number(time.value.readBigInt64LE(0)) + Number(time.value.readBigInt64LE(8)) / 1e9;
  return `a sleep of ${seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${Number(seconds.toFixed(3))} s`}`;
}

function childOf({ proc }: WaitSources, name: string, args: SyscallArgs): string {
  const pid = name === "wait4" ? args[0] | 0 : args[0] === byPid ? args[1] | 0 : -1;
  return pid > 0 ? `the end of ${processInWords(proc, pid)}` : "the end of a child process";
}

/** `comm` is the program's name, cut at 15 characters: proc_pid_comm(5). */
function processInWords(proc: ProcRoot, pid: number): string {
  const name = proc.readText(`${pid}/comm`);
  return `process ${pid}${name.ok && name.value.trim() !== "" ? ` (${name.value.trim()})` : ""}`;
}

function lockOf({ proc, pid }: WaitSources, fd: number): Target | null {
  const file = peerOfFd(proc, fd | 0);
  if (!file.ok || file.value.kind !== "file") return null;
  const holder = lockHolder(proc, pid);
  const by = holder.ok ? `, held by ${processInWords(proc, holder.value)}` : "";
  return other(`the lock on ${file.value.path}${by}`);
}

function targetOfFds(sources: WaitSources, name: string, args: SyscallArgs): Target | null {
  const { proc, memory } = sources;
  const fds = blockedFds(name, args, memory);
  if (!fds.ok) return null;
  if (fds.value.length === 0) return isWaitForDescriptors(name) ? other("a sleep") : null;
  const members = name.startsWith("epoll")
    ? epollMembers(proc, fds.value[0] ?? -1, descriptorsMax)
    : fds;
  const watched = members.ok && members.value.length > 0 ? members.value : fds.value;
  const targets = watched.slice(0, descriptorsMax).flatMap((fd) => {
    const peer = peerOfFd(proc, fd);
    return peer.ok ? [targetOf(peer.value)] : [];
  });
  return joined(targets, watched.length);
}

/** Without a descriptor they wait for their time-out alone. */
const isWaitForDescriptors = (name: string): boolean => /^(p?poll|p?select6?)$/.test(name);

/** The one target, or the one peer among several things; else all of them in words. */
function joined(targets: readonly Target[], count: number): Target | null {
  const distinct = [...new Map(targets.map((target) => [inWords(target), target])).values()];
  if (distinct.length <= 1) return distinct[0] ?? null;
  const peers = distinct.filter(({ kind }) => kind === "tcp" || kind === "udp");
  if (peers.length === 1 && count <= descriptorsMax) return peers[0] ?? null;
  const more = count > targets.length ? `, and ${count - targets.length} more` : "";
  return other(`one of ${count}: ${distinct.map(inWords).join(", ")}${more}`);
}

function inWords(target: Target): string {
  switch (target.kind) {
    case "tcp":
      return `${target.host}:${target.port}`;
    case "udp":
      return `UDP ${target.host}:${target.port}`;
    case "unix":
      return `unix socket ${target.path ?? "(unnamed)"}`;
    case "file":
      return target.path;
    case "pipe":
      return "a pipe";
    case "other":
      return target.what;
  }
}

function targetOf(peer: Peer): Target {
  switch (peer.kind) {
    case "tcp":
      return { kind: "tcp", host: peer.remoteHost, port: peer.remotePort };
    case "udp":
      return { kind: "udp", host: peer.remoteHost, port: peer.remotePort };
    case "unix":
      return { kind: "unix", path: peer.path };
    case "file":
      return { kind: "file", path: peer.path };
    case "pipe":
      return { kind: "pipe" };
    case "socket":
      return other("a socket of another kind or network namespace");
    case "anon":
      return other(peer.what);
    case "other":
      return other(peer.text);
  }
}
