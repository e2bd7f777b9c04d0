// Asks every source of evidence once whether it answers here, for `loophound self-check`.

import { openCpuThrottling } from "./kernel/cgroup-cpu";
import { createProcRoot, type ProcRoot } from "./kernel/proc-root";
import { closeTaskReaders, openTaskReaders, readTaskSnapshot } from "./kernel/read-snapshot";
import type { Result } from "./model/result";
import { bytes, ns } from "./model/units";
import { ownTid } from "./pulse/own-tid";
import { createStackExaminer } from "./stack/thread-stack";

export interface Source {
  readonly name: string;
  /** Why it gives nothing here; null if it does. */
  readonly gap: string | null;
}

const gapOf = (result: Result<unknown>): string | null =>
  result.ok ? null : `${result.why}: ${result.detail}`;

export function probeEvidence(): readonly Source[] {
  const proc = createProcRoot();
  return [
    ...threadSources(proc),
    ...processSources(proc),
    ...stackSources(proc),
    ...runtimeSources(),
  ];
}

function runtimeSources(): readonly Source[] {
  const isReplaceable = Object.getOwnPropertyDescriptor(process, "dlopen")?.writable === true;
  const hasInspector = process.features.inspector;
  return [
    {
      name: "native calls (forwarders)",
      gap: isReplaceable ? null : "process.dlopen cannot be replaced in this node",
    },
    {
      name: "JavaScript on the CPU (inspector)",
      gap: hasInspector ? null : "node without inspector",
    },
  ];
}

function threadSources(proc: ProcRoot): readonly Source[] {
  const tid = ownTid();
  if (tid === null)
    return [{ name: "/proc/thread-self", gap: "not there: not Linux, or no /proc" }];
  const readers = openTaskReaders(proc, tid);
  if (!readers.ok) return [{ name: "this thread (task/TID)", gap: gapOf(readers) }];
  const { stat, schedstat, syscall } = readTaskSnapshot(readers.value, ns(0));
  closeTaskReaders(readers.value);
  return [
    { name: "state, faults (task/TID/stat)", gap: gapOf(stat) },
    { name: "CPU and run-queue time (task/TID/schedstat)", gap: gapOf(schedstat) },
    { name: "system call (task/TID/syscall)", gap: gapOf(syscall) },
  ];
}

const mapsBytes = bytes(4 * 1024 * 1024);
const tableBytes = bytes(8 * 1024 * 1024);

function processSources(proc: ProcRoot): readonly Source[] {
  return [
    { name: "memory mappings (self/maps)", gap: gapOf(proc.readText("self/maps", mapsBytes)) },
    { name: "descriptors (self/fd)", gap: gapOf(proc.list("self/fd", 65_536)) },
    {
      name: "unread replies (self/net/tcp)",
      gap: gapOf(proc.readText("self/net/tcp", tableBytes)),
    },
    { name: "CPU throttling (cgroup)", gap: gapOf(openCpuThrottling(proc)) },
  ];
}

function stackSources(proc: ProcRoot): readonly Source[] {
  const examiner = createStackExaminer(proc);
  const sources = [
    { name: "native stack, unwound (self/mem)", gap: gapOf(examiner) },
    {
      name: "JavaScript stack (V8 metadata)",
      gap: examiner.ok ? examiner.value.jsGap : "needs self/mem",
    },
  ];
  if (examiner.ok) examiner.value.close();
  return sources;
}
