// The witness that reads /proc: one watched thread of this process. Watchdog thread.

import type { CpuThrottlingReader } from "../kernel/cgroup-cpu";
import { epollFdOf } from "../kernel/loop-epoll";
import type { ProcRoot } from "../kernel/proc-root";
import {
  closeTaskReaders,
  openTaskReaders,
  readTaskSyscall,
  readTaskUsage,
  type TaskReaders,
} from "../kernel/read-snapshot";
import { syscallName } from "../kernel/syscall-names";
import type { BlockingCall } from "../model/evidence";
import { fail, type Result } from "../model/result";
import type { SyscallState } from "../model/snapshot";
import type { ThreadStack } from "../model/stack";
import { type Ns, nsToMs } from "../model/units";
import { noMemory } from "../stack/memory";
import type { RunningPlace } from "../stack/running-thread";
import type { StackExaminer } from "../stack/thread-stack";
import { createLoopEpollLearner } from "./loop-epoll-learner";
import { waitTarget } from "./wait-target";
import type { CpuFigures, Witness } from "./witness";

export interface LiveWitnessOptions {
  readonly proc: ProcRoot;
  /** null: this platform does not tell thread ids. */
  readonly tid: number | null;
  readonly arch: string;
  readonly examiner: Result<StackExaminer>;
  /** Of the whole process; whoever opened it closes it. */
  readonly throttling: Result<CpuThrottlingReader>;
  readonly forwarded: Witness["forwarded"];
}

interface Sources {
  readonly options: LiveWitnessOptions;
  readonly readers: Result<TaskReaders>;
}

export interface LiveWitness extends Witness {
  /** Gives the descriptors back; safe to call again. */
  close(): void;
}

export function createLiveWitness(options: LiveWitnessOptions): LiveWitness {
  const { proc, tid, arch } = options;
  const readers =
    tid === null
      ? fail("unsupported", "this platform has no /proc/thread-self")
      : openTaskReaders(proc, tid);
  const sources: Sources = { options, readers };
  const learner = createLoopEpollLearner();
  const running = options.examiner.ok ? options.examiner.value.openRunning() : null;
  return {
    blindSpots: blindSpots(sources),
    syscall: () => (readers.ok ? readTaskSyscall(readers.value) : readers),
    isAsleepInLoop(state, isFresh) {
      const fd = epollFdOf(state, arch);
      if (fd !== null) learner.saw(fd, isFresh);
      if (fd !== null && state.kind === "blocked") running?.slept(state.sp);
      const own = learner.fd();
      return own === null ? null : fd === own;
    },
    canProveSleep: () => learner.fd() !== null,
    figures: () => figuresOf(sources),
    call: (state) => callOf(options, state),
    stack: (state) => stackOf(sources, state, running?.place() ?? null),
    running: () => running?.place() ?? null,
    runningStack: (place) => running?.examine(place) ?? null,
    forwarded: options.forwarded,
    close() {
      if (readers.ok) closeTaskReaders(readers.value);
    },
  };
}

function blindSpots({ options, readers }: Sources): readonly string[] {
  const { examiner } = options;
  const spots: string[] = [];
  if (!readers.ok) spots.push(`the thread's state cannot be read: ${readers.detail}`);
  // A file may be there and tell nothing: a sandbox puts an empty one in its place.
  const first = readers.ok ? readTaskSyscall(readers.value) : null;
  if (first?.ok === false) spots.push(`its system calls cannot be read: ${first.detail}`);
  if (!examiner.ok) spots.push(`its stack cannot be read: ${examiner.detail}`);
  else if (examiner.value.jsGap !== null) spots.push(examiner.value.jsGap);
  return spots;
}

const unreadable: CpuFigures = {
  state: null,
  onCpuMs: null,
  runQueueMs: null,
  majorFaults: null,
  throttledMs: null,
};

function figuresOf({ options, readers }: Sources): CpuFigures {
  if (!readers.ok) return unreadable;
  const { throttling } = options;
  const { stat, schedstat } = readTaskUsage(readers.value);
  const throttled = throttling.ok ? throttling.value.read() : throttling;
  return {
    state: stat.ok ? stat.value.state : null,
    onCpuMs: schedstat.ok ? nsToMs(schedstat.value.onCpuNs) : null,
    runQueueMs: schedstat.ok ? nsToMs(schedstat.value.runQueueWaitNs) : null,
    majorFaults: stat.ok ? stat.value.majorFaults : null,
    // Of the group that was held back most: one is also stopped while one above it is.
    throttledMs: throttled.ok
      ? nsToMs(Math.max(0, ...throttled.value.map((group) => group.throttledNs)) as Ns)
      : null,
  };
}

function callOf(
  { proc, arch, examiner }: LiveWitnessOptions,
  state: SyscallState,
): BlockingCall | null {
  if (state.kind !== "blocked") return null;
  const name = syscallName(arch, state.number);
  const memory = examiner.ok ? examiner.value.memory : noMemory;
  return { name, target: waitTarget({ proc, pid: process.pid, memory }, name, state.args) };
}

/** The stack is read while its thread may wake: it counts only if the thread is where it was, after. */
function stackOf(
  { options, readers }: Sources,
  state: SyscallState,
  place: RunningPlace | null,
): ThreadStack | null {
  if (!readers.ok || !options.examiner.ok || state.kind !== "blocked") return null;
  const stack = options.examiner.value.examine(
    state.pc,
    state.sp,
    place?.kind === "native" ? place : null,
  );
  const after = readTaskSyscall(readers.value);
  const isSame = after.ok && after.value.kind === "blocked" && isSamePlace(after.value, state);
  return isSame ? stack : null;
}

type Blocked = Extract<SyscallState, { kind: "blocked" }>;

const isSamePlace = (a: Blocked, b: Blocked): boolean =>
  a.number === b.number && a.pc === b.pc && a.sp === b.sp;
