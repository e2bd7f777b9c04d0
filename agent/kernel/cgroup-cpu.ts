// Was this process kept from running by its CPU limit? Watchdog thread. Kernel documentation
// admin-guide/cgroup-v2 (cpu.stat) and scheduler/sched-bwc (cpu.stat of version 1).

import { fail, type Result, succeed } from "../model/result";
import { type Ns, ns } from "../model/units";
import { findCgroup } from "./cgroup-path";
import type { ProcRoot, ReopenableFile } from "./proc-root";
import { excerpt, lineValue, parseDecimal } from "./text";

/** Cumulative counters of one group. All 0 where no limit was ever set on it. */
export interface CpuThrottling {
  readonly periods: number;
  readonly throttledPeriods: number;
  /**
   * Summed over CPUs: two CPUs throttled for 50 ms count as 100 ms, so it may exceed the time that
   * passed.
   */
  readonly throttledNs: Ns;
}

export interface CpuThrottlingReader {
  /** Our group and those above it that have the counters, innermost first; at least one. */
  read(): Result<readonly CpuThrottling[]>;
  close(): void;
}

/** Fails `gone` where no group in sight has the counters: no limit can be set there. */
export function openCpuThrottling(proc: ProcRoot): Result<CpuThrottlingReader> {
  const place = findCgroup(proc, "cpu");
  if (!place.ok) return place;
  const files: ReopenableFile[] = [];
  for (const directory of place.value.chain) {
    const file = proc.keepOpen(`${directory}/cpu.stat`);
    if (file.ok && hasCounters(file.value)) files.push(file.value);
    else if (file.ok) file.value.close();
  }
  if (files.length === 0) {
    return fail("gone", `no cpu.stat with throttling counters from ${place.value.directory} up`);
  }
  return succeed({
    read: () => readAll(files),
    close: () => {
      for (const file of files) file.close();
    },
  });
}

/** cpu.stat of either version. Fails `malformed` without the counters, as at version 2's root. */
export function parseCpuStat(text: string): Result<CpuThrottling> {
  const read = (name: string): number | null =>
    parseDecimal(lineValue(text, `${name} `) ?? undefined);
  const periods = read("nr_periods");
  const throttledPeriods = read("nr_throttled");
  const microseconds = read("throttled_usec");
  // Version 1 counts in nanoseconds.
  const nanoseconds = microseconds === null ? read("throttled_time") : microseconds * 1000;
  if (periods === null || throttledPeriods === null || nanoseconds === null) {
    return fail("malformed", `cpu.stat: ${excerpt(text)}`);
  }
  return succeed({ periods, throttledPeriods, throttledNs: ns(nanoseconds) });
}

/**
 * The throttling between two readings of one reader: that of the group that was throttled most, not
 * the sum, because a group is also stopped while one above it is.
 */
export function throttledBetween(
  before: readonly CpuThrottling[],
  after: readonly CpuThrottling[],
): Ns {
  const grown = after.map(
    ({ throttledNs }, level) => throttledNs - (before[level]?.throttledNs ?? throttledNs),
  );
  return ns(Math.max(0, ...grown));
}

function hasCounters(file: ReopenableFile): boolean {
  const text = file.readText();
  return text.ok && parseCpuStat(text.value).ok;
}

function readAll(files: readonly ReopenableFile[]): Result<readonly CpuThrottling[]> {
  const levels: CpuThrottling[] = [];
  for (const file of files) {
    const text = file.readText();
    const level = text.ok ? parseCpuStat(text.value) : text;
    if (!level.ok) return level;
    levels.push(level.value);
  }
  return succeed(levels);
}
