// Finds the caller's frame when the rules alone cannot: /proc gives a blocked thread's sp and pc but
// no frame pointer, and code built with frame pointers (all of node's own) measures its frames from it.
// What is found here is checked by call sites and says how far it can be trusted. Watchdog thread.

import type { Maps } from "../kernel/maps";
import type { FrameTrust } from "../model/stack";
import { address, bytes } from "../model/units";
import { callSiteBefore, throughPlt } from "./call-site";
import type { Row } from "./cfa-program";
import type { Memory } from "./memory";
import { type Machine, type Registers, registerNames, savedCodeAddress } from "./unwind";
import { prologueBytesMax, prologueFrameBytes } from "./x64-prologue";

export interface ResyncInput {
  readonly machine: Machine;
  readonly memory: Memory;
  readonly maps: Maps;
  readonly registers: Registers;
  /** End of the thread's stack; no frame lies beyond. */
  readonly stackHigh: number;
  /** Run-time address of the current function's first instruction; null when it is not known. */
  readonly entry: number | null;
}

export interface FoundFrame {
  readonly registers: Registers;
  readonly trust: FrameTrust;
}

/** hiredis and libuv have frames of 16 KiB; a frame larger than this is given up, not guessed. */
const scanBytesMax = 131_072;
const wordBytes = 8;
/** vm.mmap_min_addr: nothing is mapped below. */
const codeLowest = 65_536;

/** Strong evidence first. `unwound` needs the frame's size and the call to agree. */
const trustOfRank: readonly FrameTrust[] = [
  "unwound",
  "frame-pointer",
  "frame-pointer",
  "guess",
  "guess",
  "guess",
];

/**
 * The frame pointer of the current frame, added to its known registers, when `row` measures the CFA
 * from it. Null when nothing on the stack fits. The trust is that of the return address it leads to.
 */
export function findFramePointer(input: ResyncInput, row: Row): FoundFrame | null {
  const { fp } = registerNames[input.machine];
  if (row.cfa?.kind !== "register" || row.cfa.register !== fp) return null;
  const cfaOffset = row.cfa.offset;
  const slots = slotOffsets(input.machine, row);
  if (slots === null) return null;
  const best = bestCfa(input, slots);
  if (best === null) return null;
  const known = new Map(input.registers.known).set(fp, best.cfa - cfaOffset);
  return { registers: { ...input.registers, known }, trust: trustOfRank[best.rank] ?? "guess" };
}

interface Candidate {
  readonly cfa: number;
  readonly rank: number;
}

/** The place of the right size is tried first; nowhere else is anything better than `frame-pointer`. */
function bestCfa(input: ResyncInput, slots: Slots): Candidate | null {
  const sized = sizedCfa(input);
  const sizedRank = sized === null ? null : rankOf(input, sized, slots, true);
  let best = sized === null || sizedRank === null ? null : { cfa: sized, rank: sizedRank };
  for (const cfa of scannedCfas(input, slots.returnAddress)) {
    // Ranks 0 to 2 are proven well enough; the lowest such place is the one.
    if (best !== null && best.rank <= 2) break;
    const rank = rankOf(input, cfa, slots, false);
    if (rank !== null && (best === null || rank < best.rank)) best = { cfa, rank };
  }
  return best;
}

/**
 * The caller of a frame without call frame information, or of arm64's leaf: a guess, or null where
 * the stack offers nothing that points to this very function.
 */
export function scanForCaller(input: ResyncInput): FoundFrame | null {
  return input.machine === "x64" ? scanForCall(input) : scanForRecord(input);
}

/** A word that returns from a call of this function: at its frame's end first, then anywhere above. */
function scanForCall(input: ResyncInput): FoundFrame | null {
  if (input.entry === null) return null;
  const sized = sizedCfa(input);
  if (sized !== null && returnsFromHere(input, sized, true)) return guessed(input, sized);
  for (const cfa of scannedCfas(input, -wordBytes)) {
    if (returnsFromHere(input, cfa, false)) return guessed(input, cfa);
  }
  return null;
}

/** The stack is full of stale returns from indirect calls; only the place of the right size may be one. */
function returnsFromHere(input: ResyncInput, cfa: number, isSized: boolean): boolean {
  const pc = returnAddressAt(input, cfa - wordBytes);
  const site = pc === null ? null : callSiteBefore(input.machine, input.memory, pc);
  return site?.kind === "direct" ? callsEntry(input, site.target) : site !== null && isSized;
}

function guessed(input: ResyncInput, cfa: number): FoundFrame | null {
  const pc = returnAddressAt(input, cfa - wordBytes);
  if (pc === null) return null;
  return { registers: { pc, sp: cfa, known: new Map() }, trust: "guess" };
}

/**
 * The lowest frame record. The leaf's own caller has made it and is skipped: its return address was
 * in the link register. Compilers for arm64 put the record at the frame's low end, so x29 equals sp.
 */
function scanForRecord(input: ResyncInput): FoundFrame | null {
  const { fp } = registerNames.arm64;
  for (let at = input.registers.sp; at < scanEnd(input); at += wordBytes) {
    const callerFp = stackWord(input, at);
    if (callerFp === null || callerFp <= at) continue;
    const pc = returnAddressAt(input, at + wordBytes);
    if (pc === null) continue;
    return { registers: { pc, sp: callerFp, known: new Map([[fp, callerFp]]) }, trust: "guess" };
  }
  return null;
}

interface Slots {
  /** Both relative to the CFA. */
  readonly returnAddress: number;
  readonly framePointer: number;
}

function slotOffsets(machine: Machine, row: Row): Slots | null {
  const returnAddress = row.rules.get(machine === "x64" ? 16 : 30);
  const framePointer = row.rules.get(registerNames[machine].fp);
  if (returnAddress?.kind !== "saved-at" || framePointer?.kind !== "saved-at") return null;
  return { returnAddress: returnAddress.offset, framePointer: framePointer.offset };
}

/** The CFA by the frame size that the function's own code sets up; null when that could not be read. */
function sizedCfa({ entry, registers, machine, memory }: ResyncInput): number | null {
  if (machine !== "x64" || entry === null || registers.pc <= entry) return null;
  const length = Math.min(prologueBytesMax, registers.pc - entry);
  const code = memory.read(address(entry), bytes(length));
  const frameBytes = code.ok ? prologueFrameBytes(code.value) : null;
  return frameBytes === null || frameBytes <= 0 ? null : registers.sp + frameBytes;
}

function* scannedCfas(input: ResyncInput, returnOffset: number): Generator<number> {
  for (let at = input.registers.sp; at < scanEnd(input); at += wordBytes) yield at - returnOffset;
}

const scanEnd = ({ registers, stackHigh }: ResyncInput): number =>
  Math.min(stackHigh - wordBytes, registers.sp + scanBytesMax);

/** 0 is the best; null when no call returns there, or of something else. */
function rankOf(input: ResyncInput, cfa: number, slots: Slots, isSized: boolean): number | null {
  if (cfa + slots.framePointer < input.registers.sp) return null;
  const pc = returnAddressAt(input, cfa + slots.returnAddress);
  const site = pc === null ? null : callSiteBefore(input.machine, input.memory, pc);
  if (site === null) return null;
  const isLinked = linksUp(input, cfa + slots.framePointer);
  if (site.kind === "indirect") return rankOfIndirect(isSized, isLinked);
  if (callsEntry(input, site.target)) return rankOfDirect(isSized, isLinked);
  // A direct call of another function, which then jumped here, still leaves a frame of the right size.
  return isSized && isLinked ? 4 : null;
}

const rankOfDirect = (isSized: boolean, isLinked: boolean): number =>
  isSized ? 0 : isLinked ? 1 : 3;

function rankOfIndirect(isSized: boolean, isLinked: boolean): number | null {
  if (isSized) return isLinked ? 2 : 4;
  return isLinked ? 5 : null;
}

function callsEntry({ machine, memory, entry }: ResyncInput, target: number): boolean {
  return target === entry || throughPlt(machine, memory, target) === entry;
}

/** Whether the saved frame pointer at `slot` leads to another frame record higher up. */
function linksUp(input: ResyncInput, slot: number): boolean {
  const saved = stackWord(input, slot);
  if (saved === null || saved <= slot || saved % wordBytes !== 0) return false;
  return saved < input.stackHigh && returnAddressAt(input, saved + wordBytes) !== null;
}

/** The word at `at` if it is an address in executable memory right after a call. */
function returnAddressAt(input: ResyncInput, at: number): number | null {
  const { machine, memory, maps, stackHigh } = input;
  if (at + wordBytes > stackHigh) return null;
  const word = savedCodeAddress(machine, memory, at);
  // Most words are small numbers: ask the maps for plausible addresses only.
  if (!word.ok || word.value < codeLowest || word.value >= 2 ** 48) return null;
  if (maps.find(address(word.value))?.executable !== true) return null;
  return callSiteBefore(machine, memory, word.value) === null ? null : word.value;
}

function stackWord(input: ResyncInput, at: number): number | null {
  const word = input.memory.word(address(at));
  return word.ok && word.value < input.stackHigh ? word.value : null;
}
