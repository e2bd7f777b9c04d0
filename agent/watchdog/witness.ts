// What the watchdog may ask about a watched thread while it is blocked. The live one reads /proc
// (live-witness.ts); tests script their own.

import type { BlockingCall, ForwardedCall } from "../model/evidence";
import type { Result } from "../model/result";
import type { SyscallState } from "../model/snapshot";
import type { ThreadStack } from "../model/stack";
import type { Ms } from "../model/units";
import type { NativePlace, RunningPlace } from "../stack/running-thread";

/** Cumulative figures of one thread; null where the kernel does not give them. */
export interface CpuFigures {
  readonly state: string | null;
  readonly onCpuMs: Ms | null;
  readonly runQueueMs: Ms | null;
  readonly majorFaults: number | null;
  readonly throttledMs: Ms | null;
}

export interface Witness {
  /** Cheap: asked at every look. */
  syscall(): Result<SyscallState>;
  /**
   * Whether that state is sleep in the loop's own epoll; null until it is known which one that is,
   * which it learns from sightings right after a beat that was on time (`isFresh`).
   */
  isAsleepInLoop(state: SyscallState, isFresh: boolean): boolean | null;
  /** True once sleep can be told: then slow beats hide no stall. */
  canProveSleep(): boolean;
  /** About 5 µs; asked at every look, so that a stall's beginning is measured too. */
  figures(): CpuFigures;
  /** The system call and what it waits on; null unless blocked in one. */
  call(state: SyscallState): BlockingCall | null;
  /** The stack of a thread blocked in `state`; null if it moved on meanwhile or refuses. About a millisecond. */
  stack(state: SyscallState): ThreadStack | null;
  /** Where a thread is, on CPU or blocked: a few reads of its memory; null where that cannot be told. */
  running(): RunningPlace | null;
  /** The JavaScript that called the native code it is in; null if it has left that meanwhile. */
  runningStack(place: NativePlace): ThreadStack | null;
  /** The forwarded native call under way; null if there is none. One read of shared memory. */
  forwarded(): ForwardedCall | null;
  /** What this witness cannot see here at all, a sentence each. */
  readonly blindSpots: readonly string[];
}
