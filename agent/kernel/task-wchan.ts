// task/TID/wchan: the kernel function a thread sleeps in. proc_pid_wchan(5). Watchdog thread.
// Needs CONFIG_KALLSYMS and the ptrace attach check; the kernel answers "0" when either is missing.

import { fail, type Result, succeed } from "../model/result";
import { excerpt } from "./text";

/**
 * A symbol such as `poll_schedule_timeout.constprop.0`, without a newline after it. "0" is null: the
 * thread runs, or we may not know. An empty text, from kernels without KALLSYMS, is null as well.
 */
export function parseTaskWchan(text: string): Result<string | null> {
  const symbol = text.trimEnd();
  if (symbol === "" || symbol === "0") return succeed(null);
  if (!SYMBOL.test(symbol)) return fail("malformed", `wchan: ${excerpt(text)}`);
  return succeed(symbol);
}

/** KSYM_NAME_LEN is 512 since Linux 6.1. */
const SYMBOL = /^[\w.$]{1,512}$/;
