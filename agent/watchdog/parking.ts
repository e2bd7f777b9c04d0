// Tells a worker thread that waits for work from one that is blocked. A pool may park its workers in
// Atomics.wait without a time-out and wake them with the next task (piscina's worker does:
// https://github.com/piscinajs/piscina/blob/00aa82dcb43d/src/worker.ts, atomicsWaitLoop); so do the
// threads of WebAssembly. Their loops do not turn for hours, by design. Watchdog thread.

import { isAtomicsWait } from "../diagnose/frames";
import { syscallName } from "../kernel/syscall-names";
import { argInt32 } from "../kernel/task-syscall";
import type { SyscallState } from "../model/snapshot";
import type { ThreadStack } from "../model/stack";

/** A thread waits at a few depths of its stack; beyond this many the oldest is forgotten. */
const placesMax = 32;

/** futex(2): the operation is what is left without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME. */
const operationMask = 0x7f;
/** FUTEX_WAIT and FUTEX_WAIT_BITSET. */
const waits: ReadonlySet<number> = new Set([0, 9]);

export interface Parking {
  /**
   * True in an Atomics.wait that only another thread can end. A place that is not known yet is
   * examined only where `mayExamine`: that reads the stack, about a millisecond.
   */
  isParked(state: SyscallState, mayExamine: boolean): boolean;
}

export interface ParkingOptions {
  readonly arch: string;
  /** null: the thread moved on meanwhile, or its stack cannot be read. */
  readonly stack: (state: SyscallState) => ThreadStack | null;
}

export function createParking({ arch, stack }: ParkingOptions): Parking {
  const known = new Map<string, boolean>();

  function examine(key: string, state: SyscallState): boolean {
    const found = stack(state);
    if (found === null) return false;
    const [oldest] = known.keys();
    if (known.size >= placesMax && oldest !== undefined) known.delete(oldest);
    const isWait = isAtomicsWait(found);
    known.set(key, isWait);
    return isWait;
  }

  return {
    isParked(state, mayExamine) {
      const key = placeOfEndlessWait(state, arch);
      if (key === null) return false;
      return known.get(key) ?? (mayExamine && examine(key, state));
    },
  };
}

/** null unless the thread waits on a futex without a time-out. */
function placeOfEndlessWait(state: SyscallState, arch: string): string | null {
  if (state.kind !== "blocked" || syscallName(arch, state.number) !== "futex") return null;
  const isWait = waits.has(argInt32(state.args, 1) & operationMask);
  return isWait && state.args[3] === 0 ? `${state.args[0]}@${state.sp}:${state.pc}` : null;
}
