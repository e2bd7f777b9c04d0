// Did this process's memory limit press or kill? Watchdog thread. Kernel documentation
// admin-guide/cgroup-v2 (memory.events) and admin-guide/cgroup-v1/memory (memory.failcnt,
// memory.oom_control).

import { fail, type Result, succeed } from "../model/result";
import { findCgroup } from "./cgroup-path";
import type { ProcRoot } from "./proc-root";
import { excerpt, lineValue, parseDecimal } from "./text";

/** Cumulative counts; null where this version of cgroups has no such counter. */
export interface MemoryEvents {
  /** The group went over memory.high, and its threads were slowed down for it. */
  readonly high: number | null;
  /** An allocation ran into the limit, and had to reclaim memory first. */
  readonly max: number;
  /** An allocation was about to fail for good. */
  readonly oom: number | null;
  /** Processes killed. Since Linux 4.13. */
  readonly oomKill: number | null;
}

/** Fails `gone` where there is no memory controller, and at version 2's root, which has no limit. */
export function readMemoryEvents(proc: ProcRoot): Result<MemoryEvents> {
  const place = findCgroup(proc, "memory");
  if (!place.ok) return place;
  const { version, directory } = place.value;
  if (version === 2) {
    const events = proc.readText(`${directory}/memory.events`);
    return events.ok ? parseMemoryEvents(events.value) : events;
  }
  const failcnt = proc.readText(`${directory}/memory.failcnt`);
  if (!failcnt.ok) return failcnt;
  const control = proc.readText(`${directory}/memory.oom_control`);
  return parseMemoryEventsV1(failcnt.value, control.ok ? control.value : "");
}

/** memory.events of version 2. */
export function parseMemoryEvents(text: string): Result<MemoryEvents> {
  const read = (name: string): number | null =>
    parseDecimal(lineValue(text, `${name} `) ?? undefined);
  const max = read("max");
  if (max === null) return fail("malformed", `memory.events: ${excerpt(text)}`);
  return succeed({ high: read("high"), max, oom: read("oom"), oomKill: read("oom_kill") });
}

/** memory.failcnt and memory.oom_control of version 1; the latter may be empty. */
export function parseMemoryEventsV1(
  failcntText: string,
  controlText: string,
): Result<MemoryEvents> {
  const max = parseDecimal(failcntText.trimEnd());
  if (max === null) return fail("malformed", `memory.failcnt: ${excerpt(failcntText)}`);
  const oomKill = parseDecimal(lineValue(controlText, "oom_kill ") ?? undefined);
  return succeed({ high: null, max, oom: null, oomKill });
}
