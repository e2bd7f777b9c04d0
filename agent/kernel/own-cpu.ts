// CPU time of the calling thread, and how long it waited for a CPU. Watchdog thread; one small read, for a
// scrape or once a second.

import { type Ms, nsToMs } from "../model/units";
import type { ProcRoot } from "./proc-root";
import { parseTaskSchedstat } from "./task-schedstat";

/** Since the thread began; null where the kernel does not tell. Up to a few milliseconds old. */
export function readOwnCpu(proc: ProcRoot): Ms | null {
  const read = readOwn(proc);
  return read.ok ? nsToMs(read.value.onCpuNs) : null;
}

/** Ready to run and without a CPU, since the thread began; null where the kernel does not tell. */
export function readOwnRunQueueWait(proc: ProcRoot): Ms | null {
  const read = readOwn(proc);
  return read.ok ? nsToMs(read.value.runQueueWaitNs) : null;
}

function readOwn(proc: ProcRoot): ReturnType<typeof parseTaskSchedstat> {
  const text = proc.readText("thread-self/schedstat");
  return text.ok ? parseTaskSchedstat(text.value) : text;
}
