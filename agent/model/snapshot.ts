// What the kernel says about one thread at one instant. Pure facts, each with its own failure: a
// verdict may lean on the fields that were read and on no others.

import type { Result } from "./result";
import type { Address, Ns, Ticks } from "./units";

/**
 * The state letter of proc_pid_stat(5) field 3: R running or runnable, S sleeping, D uninterruptible
 * wait, T stopped, t stopped by a tracer, X dead, Z zombie, P parked, I idle.
 */
export type TaskState = "R" | "S" | "D" | "T" | "t" | "X" | "Z" | "P" | "I";

/** From task/TID/stat. Counters are cumulative since the thread began. */
export interface TaskStat {
  readonly state: TaskState;
  readonly minorFaults: number;
  /** Page faults that had to read from a disk. */
  readonly majorFaults: number;
  readonly userTicks: Ticks;
  readonly systemTicks: Ticks;
  /** Of the whole process. */
  readonly threadCount: number;
  /** Clock ticks from the machine's boot to the thread's start: tells a reused thread id. */
  readonly startedTicks: Ticks;
  /** The CPU it ran on last. */
  readonly processor: number;
  /**
   * Time spent waiting for block I/O. Stays 0 where delay accounting is off, which is the default
   * since Linux 5.14 (sysctl kernel.task_delayacct): 0 proves nothing.
   */
  readonly blockIoTicks: Ticks;
}

/** From task/TID/status. */
export interface TaskStatus {
  readonly state: TaskState;
  /** Thread id of the debugger or strace attached to us; 0 when there is none. */
  readonly tracerPid: number;
  /** Times the thread gave up the CPU to wait. */
  readonly voluntarySwitches: number;
  /** Times the CPU was taken away from it. */
  readonly involuntarySwitches: number;
}

/** From task/TID/schedstat; cumulative. */
export interface TaskSchedstat {
  readonly onCpuNs: Ns;
  /** Runnable, but not given a CPU. */
  readonly runQueueWaitNs: Ns;
  readonly timeslices: number;
}

/**
 * The six argument registers of a system call, as signed 64-bit numbers: exact up to 2^53 either way,
 * rounded beyond. argInt32() and argAddress() of kernel/task-syscall read them.
 */
export type SyscallArgs = readonly [number, number, number, number, number, number];

/** From task/TID/syscall. `sp` and `pc` are those of user space. */
export type SyscallState =
  /** On a CPU, or runnable: the kernel then tells no registers. */
  | { readonly kind: "running" }
  /** Asleep, but not in a system call: a page fault, a stop. */
  | { readonly kind: "outside"; readonly sp: Address; readonly pc: Address }
  | {
      readonly kind: "blocked";
      readonly number: number;
      readonly args: SyscallArgs;
      readonly sp: Address;
      readonly pc: Address;
    };

/**
 * All that the kernel told about one thread in one pass. The fields are read one after the other,
 * within some tens of microseconds, not atomically.
 */
export interface TaskSnapshot {
  readonly tid: number;
  /** When the pass began. */
  readonly takenAtNs: Ns;
  readonly syscall: Result<SyscallState>;
  readonly stat: Result<TaskStat>;
  readonly schedstat: Result<TaskSchedstat>;
  readonly status: Result<TaskStatus>;
  /** The kernel function it sleeps in; null when it sleeps in none, or the kernel does not say. */
  readonly wchan: Result<string | null>;
}
