// task/TID/stat: is the thread running, and what has it used. proc_pid_stat(5). Watchdog thread.
// World-readable; no configuration needed. Layout: fs/proc/array.c do_task_stat(), Linux v6.12.

import { fail, type Result, succeed } from "../model/result";
import type { TaskStat, TaskState } from "../model/snapshot";
import { ticks } from "../model/units";
import { excerpt, parseDecimal } from "./text";

/** Fails `malformed` unless every field up to (42) is there. */
export function parseTaskStat(text: string): Result<TaskStat> {
  // (2) comm is in parentheses and may itself hold spaces and parentheses: the last one closes it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ", FIELD_LAST - FIELD_FIRST + 1);
  const state = parseTaskState(fields[0]);
  const read = (field: number): number => parseDecimal(fields[field - FIELD_FIRST]) ?? Number.NaN;
  const numbers = {
    minorFaults: read(10),
    majorFaults: read(12),
    userTicks: ticks(read(14)),
    systemTicks: ticks(read(15)),
    threadCount: read(20),
    startedTicks: ticks(read(22)),
    processor: read(39),
    blockIoTicks: ticks(read(FIELD_LAST)),
  };
  if (state === null || Object.values(numbers).some(Number.isNaN)) {
    return fail("malformed", `stat: ${excerpt(text)}`);
  }
  return succeed({ state, ...numbers });
}

/** The letter of proc_pid_stat(5) (3); null when it is none that this kernel interface has. */
export function parseTaskState(letter: string | undefined): TaskState | null {
  return STATES.find((state) => state === letter) ?? null;
}

/** Of the fields after (2) comm. */
const FIELD_FIRST = 3;
/** (42) delayacct_blkio_ticks, the last one we read. */
const FIELD_LAST = 42;

/** fs/proc/array.c task_state_array, v6.12. W, x and K of older pages ended with Linux 3.13. */
const STATES: readonly TaskState[] = ["R", "S", "D", "T", "t", "X", "Z", "P", "I"];
