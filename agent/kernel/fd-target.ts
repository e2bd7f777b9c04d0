// What a file descriptor of this process stands for. proc_pid_fd(5). Watchdog thread.

import { type Result, succeed } from "../model/result";
import type { ProcRoot } from "./proc-root";
import { parseDecimal } from "./text";

export type FdTarget =
  | { readonly kind: "socket"; readonly inode: number }
  /** A file, directory, device or named pipe; " (deleted)" at the end if it was unlinked. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "pipe"; readonly inode: number }
  /** `what` without brackets: eventpoll, eventfd, timerfd, inotify, io_uring, pidfd. */
  | { readonly kind: "anon"; readonly what: string }
  /** A namespace and the like; the link as it is. */
  | { readonly kind: "other"; readonly text: string };

/**
 * Fails `gone` when the descriptor is not open. Descriptor numbers are reused: the answer is about
 * the file that has the number now.
 */
export function readFdTarget(proc: ProcRoot, fd: number): Result<FdTarget> {
  const link = proc.readLink(`self/fd/${fd}`);
  return link.ok ? succeed(parseFdLink(link.value)) : link;
}

export function parseFdLink(link: string): FdTarget {
  if (link.startsWith("/")) return { kind: "file", path: link };
  const socket = parseDecimal(/^socket:\[(\d+)\]$/.exec(link)?.[1]);
  if (socket !== null) return { kind: "socket", inode: socket };
  const pipe = parseDecimal(/^pipe:\[(\d+)\]$/.exec(link)?.[1]);
  if (pipe !== null) return { kind: "pipe", inode: pipe };
  // Most are "anon_inode:[eventpoll]"; inotify alone comes without brackets.
  const what = /^anon_inode:\[?([^[\]]+)\]?$/.exec(link)?.[1];
  return what === undefined ? { kind: "other", text: link } : { kind: "anon", what };
}
