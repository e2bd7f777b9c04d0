// task/TID/status: context switches and who traces us. proc_pid_status(5). Watchdog thread.
// World-readable; context switches since Linux 2.6.23.

import { fail, type Result, succeed } from "../model/result";
import type { TaskStatus } from "../model/snapshot";
import { parseTaskState } from "./task-stat";
import { excerpt, lineValue, parseDecimal } from "./text";

/** Fails `malformed` when a line we need is missing. The Name line escapes newlines, so a thread's
 * name cannot imitate another line. */
export function parseTaskStatus(text: string): Result<TaskStatus> {
  // "S (sleeping)": the letter is that of proc_pid_stat(5) (3).
  const state = parseTaskState(lineValue(text, "State:")?.charAt(0));
  const tracerPid = parseDecimal(lineValue(text, "TracerPid:") ?? undefined);
  const voluntarySwitches = parseDecimal(lineValue(text, "voluntary_ctxt_switches:") ?? undefined);
  const involuntarySwitches = parseDecimal(
    lineValue(text, "nonvoluntary_ctxt_switches:") ?? undefined,
  );
  if (
    state === null ||
    tracerPid === null ||
    voluntarySwitches === null ||
    involuntarySwitches === null
  ) {
    return fail("malformed", `status: ${excerpt(text)}`);
  }
  return succeed({ state, tracerPid, voluntarySwitches, involuntarySwitches });
}
