// What optimized code says of its own call sites, for the day that it has to go on in the interpreter: the
// bytecode that each call stands for. It is what V8's own stack traces go by, and the table of source
// positions is held against it: Maglev's leaves calls out. Watchdog thread.
// Layout: src/objects/deoptimization-data.h (11.3: code.h), DeoptimizationData, and
// src/codegen/maglev-safepoint-table.h at the tags in v8-versions.ts; the exits:
// src/deoptimizer/deoptimizer.cc Deoptimizer::Deoptimizer.

import { address, bytes } from "../model/units";
import { wordOf } from "./memory";
import type { CodeAtPc } from "./v8-code";
import { readLong, smiIn, type Tagged, type V8Heap } from "./v8-heap";

export interface CallSite {
  /** Of the innermost function at that place, which may be one that was inlined. */
  readonly bytecodeOffset: number;
  /** Whether any function was inlined into this code. */
  readonly hasInlined: boolean;
}

/** These four follow the inlining positions; then come the entries. */
const exitStartAfter = 1;
const eagerCountAfter = 2;
const lazyCountAfter = 3;
const firstEntryAfter = 4;
/** bytecode offset, translation index, pc. */
const entrySlots = 3;
const inlinedFunctionCount = 1;
/** Large functions have some thousands of calls. */
const exitsMax = 65_536;

/**
 * The call that returns to the counter; null where the code does not list it. In code that was thrown
 * away while it was on the stack, the counter is that of the call's exit instead.
 */
export function callSiteOf(heap: V8Heap, at: CodeAtPc): CallSite | null {
  const { arrayData } = heap.v8.fields;
  const data = heap.pointer(at.code, heap.v8.layout.codeDeoptimizationData);
  if (data === null) return null;
  const slot = (index: number): number => arrayData + 8 * index;
  const inlined = heap.smi(data, slot(inlinedFunctionCount));
  const exits = readExits(heap, data);
  if (inlined === null || exits === null) return null;
  const index =
    at.kind === "maglev" ? safepointIndex(heap, at) : turbofanIndex(heap, data, at, exits);
  if (index === null || index < 0 || index >= exits.eager + exits.lazy) return null;
  const bytecodeOffset = heap.smi(data, slot(exits.firstEntry + entrySlots * index));
  if (bytecodeOffset === null || bytecodeOffset < 0) return null;
  return { bytecodeOffset, hasInlined: inlined > 0 };
}

interface Exits {
  /** Bytes from the code's start to the first eager exit; the lazy ones follow. */
  readonly start: number;
  readonly eager: number;
  readonly lazy: number;
  /** Index in the array of the eager exits' first entry. */
  readonly firstEntry: number;
}

function readExits(heap: V8Heap, data: Tagged): Exits | null {
  const { fields, deoptIndex } = heap.v8;
  const number = (after: number): number | null =>
    heap.smi(data, fields.arrayData + 8 * (deoptIndex.inliningPositions + after));
  const start = number(exitStartAfter);
  const eager = number(eagerCountAfter);
  const lazy = number(lazyCountAfter);
  if (start === null || eager === null || lazy === null) return null;
  if (eager < 0 || lazy < 0 || eager + lazy > exitsMax) return null;
  return { start, eager, lazy, firstEntry: deoptIndex.inliningPositions + firstEntryAfter };
}

/** TurboFan's lazy entries hold the return address of their call. */
function turbofanIndex(heap: V8Heap, data: Tagged, at: CodeAtPc, exits: Exits): number | null {
  if (at.deoptimized) return exitIndex(heap, at.pcOffset, exits);
  const first = exits.firstEntry + entrySlots * exits.eager;
  const length = 8 * entrySlots * exits.lazy;
  const entries = readLong(heap, data, heap.v8.fields.arrayData + 8 * first, length);
  const found = entries === null ? null : findByPc(entries, at.pcOffset);
  return found === null ? null : exits.eager + found;
}

/** Stack slots, number of entries, their configuration, number of tagged slots: 32 bits each. */
const safepointHeaderBytes = 16;
const safepointsMax = 16_384;

/**
 * Maglev's entries hold their exit alone; the table after the instructions leads from the call to the
 * entry's index. An index, and an exit, are stored with 1 added: 0 is none.
 */
function safepointIndex(heap: V8Heap, at: CodeAtPc): number | null {
  const table = readSafepoints(heap, at);
  if (table === null) return null;
  const { count, from, sizes, entryBytes } = table;
  for (let number = 0; number < count; number++) {
    const entry = heap.memory.read(address(from + entryBytes * number), bytes(entryBytes));
    if (!entry.ok) return null;
    const key = at.deoptimized
      ? entry.value.readUIntLE(sizes.pc + sizes.index, sizes.pc) - 1
      : entry.value.readUIntLE(0, sizes.pc);
    if (key === at.pcOffset) return entry.value.readUIntLE(sizes.pc, sizes.index) - 1;
  }
  return null;
}

interface Safepoints {
  readonly count: number;
  readonly from: number;
  /** Bytes of the fields of an entry: pc, index, exit (as pc), spill slots (one), registers. */
  readonly sizes: { readonly pc: number; readonly index: number };
  readonly entryBytes: number;
}

function readSafepoints(heap: V8Heap, at: CodeAtPc): Safepoints | null {
  const { layout } = heap.v8;
  const start = heap.bytes(at.code, layout.codeInstructionStart, 8);
  const size = heap.uint32(at.code, layout.codeInstructionSize);
  if (!layout.hasMaglev || start === null || size === null) return null;
  const table = wordOf(start, 0) + size;
  const header = heap.memory.read(address(table), bytes(safepointHeaderBytes));
  if (!header.ok) return null;
  const count = header.value.readUInt32LE(4);
  const configuration = header.value.readUInt32LE(8);
  const sizeAt = (shift: number): number => Math.min((configuration >>> shift) & 7, 4);
  const sizes = { pc: sizeAt(4), index: sizeAt(7) };
  // Without the lowest bit no call of this code can be deoptimized, and none is listed.
  if (configuration % 2 === 0 || sizes.pc === 0 || sizes.index === 0) return null;
  if (count > safepointsMax) return null;
  const entryBytes = 2 * sizes.pc + sizes.index + 1 + sizeAt(1);
  return { count, from: table + safepointHeaderBytes, sizes, entryBytes };
}

/** The one entry with this return address; null when there is none or several. */
function findByPc(entries: Buffer, pcOffset: number): number | null {
  let found: number | null = null;
  for (let index = 0; 8 * entrySlots * index < entries.length; index++) {
    if (smiIn(entries, 8 * (entrySlots * index + 2)) !== pcOffset) continue;
    if (found !== null) return null;
    found = index;
  }
  return found;
}

function exitIndex(heap: V8Heap, pcOffset: number, exits: Exits): number | null {
  const size = exitBytes[heap.v8.machine];
  if (size === null) return null;
  const index = (pcOffset - exits.start - size.eager * exits.eager) / size.lazy;
  return Number.isInteger(index) && index >= 0 ? exits.eager + index : null;
}

/**
 * Deoptimizer::kEagerDeoptExitSize and kLazyDeoptExitSize: src/deoptimizer/x64/deoptimizer-x64.cc. Those
 * of arm64 depend on how node was built.
 */
const exitBytes = { x64: { eager: 4, lazy: 4 }, arm64: null } as const;

/** The bytecode of a function that has been compiled; null when its heap object holds none. */
export function bytecodeOf(heap: V8Heap, shared: Tagged): Tagged | null {
  const { layout, types } = heap.v8;
  const data = heap.pointer(shared, layout.sharedFunctionData);
  if (heap.isType(data, types.bytecodeArray)) return data;
  // Baseline code stands in its place and leads to it.
  const behind = heap.isType(data, types.code)
    ? heap.pointer(data, layout.codeDeoptimizationData)
    : null;
  return heap.isType(behind, types.bytecodeArray) ? behind : null;
}
