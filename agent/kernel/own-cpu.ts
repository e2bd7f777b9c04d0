// CPU time of the calling thread. Watchdog thread; one small read, for a scrape.

import { type Ms, nsToMs } from "../model/units";
import type { ProcRoot } from "./proc-root";
import { parseTaskSchedstat } from "./task-schedstat";

/** Since the thread began; null where the kernel does not tell. Up to a few milliseconds old. */
export function readOwnCpu(proc: ProcRoot): Ms | null {
  const text = proc.readText("thread-self/schedstat");
  const read = text.ok ? parseTaskSchedstat(text.value) : text;
  return read.ok ? nsToMs(read.value.onCpuNs) : null;
}
