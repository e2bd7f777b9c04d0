// CPU time of the thread that asks, and what machine it is.

import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import type { Machine } from "./raw";

/** CPU time of the calling thread so far; null where there is no /proc. proc_pid_schedstat(5), field 1. */
export function threadCpuNs(): number | null {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]);
  } catch {
    return null;
  }
}

export function processCpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

const load = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

/** Call at the beginning; what it returns, at the end. */
export function describeMachine(): () => Machine {
  const before = load();
  const takenAt = new Date().toISOString();
  return () => ({
    takenAt,
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    cpus: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    load: [before, load()],
  });
}
