// Which descriptors an epoll watches. proc_pid_fdinfo(5), since Linux 3.8. Watchdog thread.

import { type Result, succeed } from "../model/result";
import type { ProcRoot } from "./proc-root";

/** In the order that the kernel lists them, at most `max`. Empty for a descriptor that is no epoll. */
export function epollMembers(proc: ProcRoot, fd: number, max: number): Result<readonly number[]> {
  const text = proc.readText(`self/fdinfo/${fd}`);
  return text.ok ? succeed(parseEpollMembers(text.value, max)) : text;
}

/** "tfd:        5 events:       19 data: ..." for each. */
export function parseEpollMembers(text: string, max: number): readonly number[] {
  const members: number[] = [];
  for (const line of text.matchAll(/^tfd: +(\d{1,9}) +events:/gm)) {
    if (members.length >= max) break;
    members.push(Number(line[1]));
  }
  return members;
}
