// Looks at the instruction before a return address: is it a call, and of what. This is how a word
// found on the stack is told from a number that happens to point into code. Watchdog thread.
// Encodings: Intel SDM volume 2, CALL and JMP; Arm ARM (DDI 0487), BL, BLR, ADRP, LDR.

import { address, bytes } from "../model/units";
import type { Memory } from "./memory";
import type { Machine } from "./unwind";

export type CallSite =
  /** The call names its target, or names the slot that held it. */
  | { readonly kind: "direct"; readonly target: number }
  /** A call through a register or an object's table: of anything. */
  | { readonly kind: "indirect" };

/** The longest indirect call: prefix, REX, opcode, ModRM, SIB, 32-bit displacement. */
const callBytesMax = 8;
const instructionBytes = 4;

/** The call that returns to `returnAddress`, or null when no call ends there. */
export function callSiteBefore(
  machine: Machine,
  memory: Memory,
  returnAddress: number,
): CallSite | null {
  return machine === "x64"
    ? x64CallSite(memory, returnAddress)
    : arm64CallSite(memory, returnAddress);
}

/**
 * Where a call to `target` really goes: through a PLT entry to what its slot holds now, else `target`
 * itself. A slot that is not bound yet points back into the PLT and proves nothing.
 */
export function throughPlt(machine: Machine, memory: Memory, target: number): number {
  const slot = machine === "x64" ? x64PltSlot(memory, target) : arm64PltSlot(memory, target);
  if (slot === null) return target;
  const value = memory.word(address(slot));
  return value.ok ? value.value : target;
}

function x64CallSite(memory: Memory, returnAddress: number): CallSite | null {
  const code = memory.read(address(returnAddress - callBytesMax), bytes(callBytesMax));
  if (!code.ok) return null;
  const before = (count: number): number => code.value[callBytesMax - count] ?? 0;
  if (before(5) === 0xe8) {
    return { kind: "direct", target: returnAddress + code.value.readInt32LE(callBytesMax - 4) };
  }
  // call *disp32(%rip): the slot is named, as with -fno-plt.
  if (before(6) === 0xff && before(5) === 0x15) {
    const slot = returnAddress + code.value.readInt32LE(callBytesMax - 4);
    const target = memory.word(address(slot));
    return target.ok ? { kind: "direct", target: target.value } : { kind: "indirect" };
  }
  for (const length of [2, 3, 4, 6, 7]) {
    if (
      before(length) === 0xff &&
      indirectCallBytes(before(length - 1), before(length - 2)) === length
    ) {
      return { kind: "indirect" };
    }
  }
  return null;
}

/** Length of `FF /2` with this ModRM and, where it has one, this SIB byte; 0 if it is no call. */
function indirectCallBytes(modrm: number, sib: number): number {
  if (((modrm >> 3) & 7) !== 2) return 0;
  const [mode, register] = [modrm >> 6, modrm & 7];
  if (mode === 3) return 2;
  const withSib = register === 4 ? 1 : 0;
  if (mode === 1) return 3 + withSib;
  if (mode === 2) return 6 + withSib;
  // Mode 0: register 5 means rip-relative, a SIB base of 5 means a bare 32-bit displacement.
  return register === 5 || (withSib === 1 && (sib & 7) === 5) ? 6 + withSib : 2 + withSib;
}

/** A PLT entry is an optional endbr64 or bnd, then jmp *disp32(%rip). */
function x64PltSlot(memory: Memory, target: number): number | null {
  const code = memory.read(address(target), bytes(11));
  if (!code.ok) return null;
  let at = code.value.readUInt32BE(0) === 0xf30f1efa ? 4 : 0;
  if (code.value[at] === 0xf2) at += 1;
  if (code.value[at] !== 0xff || code.value[at + 1] !== 0x25) return null;
  return target + at + 6 + code.value.readInt32LE(at + 2);
}

function arm64CallSite(memory: Memory, returnAddress: number): CallSite | null {
  const code = memory.read(address(returnAddress - instructionBytes), bytes(instructionBytes));
  if (!code.ok || returnAddress % instructionBytes !== 0) return null;
  const instruction = code.value.readUInt32LE(0);
  if (instruction >>> 26 === 0b100101) {
    // BL has a signed 26-bit count of instructions.
    const distance = ((instruction << 6) >> 6) * instructionBytes;
    return { kind: "direct", target: returnAddress - instructionBytes + distance };
  }
  const isBlr = (instruction & 0xfffffc1f) >>> 0 === 0xd63f0000;
  // BLRAA and its kin: the target is authenticated on the way.
  const isBlrAuthenticated = (instruction & 0xfefff800) >>> 0 === 0xd63f0800;
  return isBlr || isBlrAuthenticated ? { kind: "indirect" } : null;
}

/** A PLT entry is an optional bti, then adrp x16, page; ldr x17, [x16, offset]. */
function arm64PltSlot(memory: Memory, target: number): number | null {
  const code = memory.read(address(target), bytes(12));
  if (!code.ok) return null;
  const at = code.value.readUInt32LE(0) === 0xd503245f ? 4 : 0;
  const adrp = code.value.readUInt32LE(at);
  const ldr = code.value.readUInt32LE(at + 4);
  if ((adrp & 0x9f00001f) >>> 0 !== 0x90000010 || (ldr & 0xffc003ff) >>> 0 !== 0xf9400211)
    return null;
  const pages = (((adrp << 8) >> 13) << 2) | ((adrp >>> 29) & 3);
  const page = target + at - ((target + at) % 4096);
  return page + pages * 4096 + ((ldr >>> 10) & 0xfff) * 8;
}
