// All facts about one thread in one bounded pass, through files that are kept open. Watchdog thread;
// a pass costs some 20 microseconds, a look at the system call alone 3.

import { type Result, succeed } from "../model/result";
import type { SyscallState, TaskSnapshot } from "../model/snapshot";
import type { Ns } from "../model/units";
import type { ProcRoot, ReopenableFile } from "./proc-root";
import { parseTaskSchedstat } from "./task-schedstat";
import { parseTaskStat } from "./task-stat";
import { parseTaskStatus } from "./task-status";
import { parseTaskSyscall } from "./task-syscall";
import { parseTaskWchan } from "./task-wchan";

type TaskFile = "stat" | "schedstat" | "status" | "syscall" | "wchan";

/** The files of one thread; each may have failed to open, and then fails so at every reading. */
export interface TaskReaders {
  readonly tid: number;
  readonly files: Readonly<Record<TaskFile, Result<ReopenableFile>>>;
}

/**
 * Fails when not even `stat`, which everybody may read, can be opened: there is no such thread. The
 * files go on to stand for that thread when its number is given to another, and then read `gone`.
 */
export function openTaskReaders(proc: ProcRoot, tid: number): Result<TaskReaders> {
  const open = (file: TaskFile): Result<ReopenableFile> =>
    proc.keepOpen(`self/task/${tid}/${file}`);
  const stat = open("stat");
  if (!stat.ok) return stat;
  const files = {
    stat,
    schedstat: open("schedstat"),
    status: open("status"),
    syscall: open("syscall"),
    wchan: open("wchan"),
  };
  return succeed({ tid, files });
}

/** Safe to call again. */
export function closeTaskReaders(readers: TaskReaders): void {
  for (const file of Object.values(readers.files)) {
    if (file.ok) file.value.close();
  }
}

/** The system call goes first: it is what changes soonest. */
export function readTaskSnapshot(readers: TaskReaders, nowNs: Ns): TaskSnapshot {
  const { tid, files } = readers;
  return {
    tid,
    takenAtNs: nowNs,
    syscall: readTaskSyscall(readers),
    stat: readParsed(files.stat, parseTaskStat),
    schedstat: readParsed(files.schedstat, parseTaskSchedstat),
    status: readParsed(files.status, parseTaskStatus),
    wchan: readParsed(files.wchan, parseTaskWchan),
  };
}

/** What a thread used of the CPU and waited for, about 5 microseconds. */
export function readTaskUsage(readers: TaskReaders): Pick<TaskSnapshot, "stat" | "schedstat"> {
  return {
    stat: readParsed(readers.files.stat, parseTaskStat),
    schedstat: readParsed(readers.files.schedstat, parseTaskSchedstat),
  };
}

/** The cheapest look at a thread, for a poll. */
export function readTaskSyscall(readers: TaskReaders): Result<SyscallState> {
  return readParsed(readers.files.syscall, parseTaskSyscall);
}

function readParsed<T>(
  file: Result<ReopenableFile>,
  parse: (text: string) => Result<T>,
): Result<T> {
  if (!file.ok) return file;
  const text = file.value.readText();
  return text.ok ? parse(text.value) : text;
}
