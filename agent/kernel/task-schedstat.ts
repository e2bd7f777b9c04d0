// task/TID/schedstat: time on a CPU, and time spent waiting for one. Watchdog thread.
// Kernel documentation scheduler/sched-stats, "/proc/<pid>/schedstat"; needs CONFIG_SCHED_INFO,
// which every distribution has. Without it the file is absent (`gone`) or reads "0 0 0".

import { fail, type Result, succeed } from "../model/result";
import type { TaskSchedstat } from "../model/snapshot";
import { ns } from "../model/units";
import { excerpt, parseDecimal } from "./text";

/**
 * Three counters on one line. The first is brought up to date only at scheduler ticks and switches,
 * so it may lag by a few milliseconds; the second grows only when the wait has ended: a thread that
 * is still waiting for a CPU shows nothing yet.
 */
export function parseTaskSchedstat(text: string): Result<TaskSchedstat> {
  const fields = text.trimEnd().split(" ");
  const onCpu = parseDecimal(fields[0]);
  const wait = parseDecimal(fields[1]);
  const timeslices = parseDecimal(fields[2]);
  if (onCpu === null || wait === null || timeslices === null || fields.length !== 3) {
    return fail("malformed", `schedstat: ${excerpt(text)}`);
  }
  return succeed({ onCpuNs: ns(onCpu), runQueueWaitNs: ns(wait), timeslices });
}
