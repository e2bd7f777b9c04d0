// Which thread of this process are we, by the numbers that this /proc uses: those of the pid
// namespace it was mounted for, which need not be ours. Watchdog thread.

import { fail, type Result, succeed } from "../model/result";
import type { ProcRoot } from "./proc-root";
import { excerpt, parseDecimal } from "./text";

/** Thread id of the calling thread. Since Linux 3.17. */
export function readSelfTid(proc: ProcRoot): Result<number> {
  const link = proc.readLink("thread-self");
  return link.ok ? parseThreadSelf(link.value) : link;
}

/** Thread id of the process's first thread, the one that runs Node's main isolate. */
export function readMainTid(proc: ProcRoot): Result<number> {
  const link = proc.readLink("self");
  if (!link.ok) return link;
  const tid = parseDecimal(link.value);
  return tid === null ? fail("malformed", `self: ${excerpt(link.value)}`) : succeed(tid);
}

/** proc_tid(5): "PID/task/TID". */
export function parseThreadSelf(link: string): Result<number> {
  const tid = parseDecimal(/^\d+\/task\/(\d+)$/.exec(link)?.[1]);
  return tid === null ? fail("malformed", `thread-self: ${excerpt(link)}`) : succeed(tid);
}
