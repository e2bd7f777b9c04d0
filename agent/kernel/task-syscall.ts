// task/TID/syscall: the system call a thread sleeps in. proc_pid_syscall(5). Watchdog thread.
// Needs CONFIG_HAVE_ARCH_TRACEHOOK and the ptrace attach check, which a thread of our own process
// passes unless it is not dumpable (setuid, PR_SET_DUMPABLE 0): then it fails `denied`.

import { fail, type Result, succeed } from "../model/result";
import type { SyscallArgs, SyscallState } from "../model/snapshot";
import { type Address, address } from "../model/units";
import { excerpt } from "./text";

/** Three forms: "running", "-1 SP PC" and "NR A0 A1 A2 A3 A4 A5 SP PC" (all but NR in hex). */
export function parseTaskSyscall(text: string): Result<SyscallState> {
  const line = text.trimEnd();
  if (line === "running") return succeed({ kind: "running" });
  const blocked = BLOCKED.exec(line);
  if (blocked !== null) return succeed(blockedState(blocked));
  const outside = OUTSIDE.exec(line);
  if (outside === null) return fail("malformed", `syscall: ${excerpt(text)}`);
  return succeed({ kind: "outside", sp: hexAddress(outside[1]), pc: hexAddress(outside[2]) });
}

/**
 * Argument `index` as a C int: a descriptor, flags, a timeout. Exact unless the caller left rubbish
 * in the upper half of the register, which neither glibc nor musl do: they extend ints to 64 bits.
 */
export function argInt32(args: SyscallArgs, index: ArgIndex): number {
  return args[index] | 0;
}

/** Argument `index` as an address in this process; exact for every valid one. */
export function argAddress(args: SyscallArgs, index: ArgIndex): Address {
  return address(args[index]);
}

export type ArgIndex = 0 | 1 | 2 | 3 | 4 | 5;

function blockedState(match: RegExpExecArray): SyscallState {
  const word = (index: number): number => parseWord(match[index] ?? "");
  return {
    kind: "blocked",
    number: Number(match[1]),
    args: [word(2), word(3), word(4), word(5), word(6), word(7)],
    sp: hexAddress(match[8]),
    pc: hexAddress(match[9]),
  };
}

/**
 * A register as a signed 64-bit number, so that -1, printed as 0xffffffffffffffff, is exactly -1.
 * Beyond 2^53 either way the number is rounded; no int, length or valid address lies there.
 */
function parseWord(hex: string): number {
  if (hex.length <= EXACT_HEX_DIGITS) return Number.parseInt(hex, 16);
  return Number(BigInt.asIntN(64, BigInt(`0x${hex}`)));
}

function hexAddress(hex: string | undefined): Address {
  return address(Number.parseInt(hex ?? "", 16));
}

const EXACT_HEX_DIGITS = 13;
const HEX = " 0x([0-9a-f]{1,16})";
const BLOCKED = new RegExp(`^(\\d{1,10})${HEX.repeat(8)}$`);
const OUTSIDE = new RegExp(`^-1${HEX.repeat(2)}$`);
