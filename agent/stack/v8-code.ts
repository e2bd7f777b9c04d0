// From a program counter in just-in-time code to V8's Code object, and from there to source positions,
// with the functions that were inlined. Watchdog thread. The code is found in memory around the
// counter itself, not through the function, whose code may have been replaced since.
// Layout: src/objects/instruction-stream.h, code.h, code-kind.h and deoptimization-data.h at the tags
// in v8-versions.ts.

import type { Maps } from "../kernel/maps";
import { type Address, address, bytes } from "../model/units";
import { wordOf } from "./memory";
import { byteArrayContent, readLong, type Tagged, taggedPointer, type V8Heap } from "./v8-heap";
import {
  findBytecodeOffset,
  findSourcePosition,
  type SourcePosition,
  unpackSourcePosition,
} from "./v8-source-positions";

export interface CodeAtPc {
  readonly code: Tagged;
  /** `other` is everything that was not compiled from a script's function. */
  readonly kind: "baseline" | "maglev" | "turbofan" | "other";
  /** Bytes from the first instruction to the counter. */
  readonly pcOffset: number;
  /** The function was deoptimized while on the stack: the counter no longer tells a position. */
  readonly deoptimized: boolean;
}

/** A function in optimized code, with the place it was at. */
export interface InlinedPosition {
  /** Null for the outermost function, which the frame itself names. */
  readonly shared: Tagged | null;
  readonly scriptOffset: number;
}

/** Large optimized functions reach some 100 KiB. */
const codeBytesMax = 1_048_576;
const scanPieceBytes = 65_536;
/** kCodeAlignment is 32 or 64: src/common/globals.h. */
const codeAlignment = 32;
const positionTableBytesMax = 1_048_576;
/** --max-inlined-bytecode-size-cumulative bounds the real depth far below. */
const inliningDepthMax = 64;
const inliningPositionBytes = 16;

/** The code that holds `pc`; null when it is not in an InstructionStream. */
export function findCode(heap: V8Heap, maps: Maps, pc: Address): CodeAtPc | null {
  const region = maps.find(pc);
  if (region === null) return null;
  const header = heap.v8.fields.instructionStreamStart;
  const lowest = Math.max(region.low + header, pc - codeBytesMax);
  let start = pc - (pc % codeAlignment);
  while (start >= lowest) {
    const pieceStart = Math.max(lowest, start - scanPieceBytes + codeAlignment);
    const from = pieceStart - header;
    const piece = heap.memory.read(address(from), bytes(Math.min(start - from, scanPieceBytes)));
    if (!piece.ok) return null;
    const found = scanPiece(heap, piece.value, from, start, pc);
    if (found !== "none") return found;
    start -= Math.floor((start - pieceStart) / codeAlignment) * codeAlignment + codeAlignment;
  }
  return null;
}

/** Tries each possible first instruction from `start` downwards; the bytes begin at `from`. */
function scanPiece(
  heap: V8Heap,
  piece: Buffer,
  from: number,
  start: number,
  pc: Address,
): CodeAtPc | null | "none" {
  const header = heap.v8.fields.instructionStreamStart;
  for (let first = start; first - header >= from; first -= codeAlignment) {
    const at = first - header - from;
    if (at + 16 > piece.length) continue;
    const map = taggedPointer(wordOf(piece, at));
    const code = taggedPointer(wordOf(piece, at + 8));
    if (map === null || code === null) continue;
    if (heap.typeOf(first - header + 1) !== heap.v8.types.instructionStream) continue;
    // The nearest code below the counter either holds it or nothing does.
    return describeCode(heap, code, first, pc);
  }
  return "none";
}

function describeCode(heap: V8Heap, code: Tagged, first: number, pc: Address): CodeAtPc | null {
  const { layout, codeKinds, types } = heap.v8;
  if (!heap.isType(code, types.code)) return null;
  const start = heap.bytes(code, layout.codeInstructionStart, 8);
  const size = heap.uint32(code, layout.codeInstructionSize);
  const flags = heap.uint32(code, layout.codeFlags);
  const deoptimized = heap.uint32(code, layout.codeDeoptimized.offset);
  if (start === null || size === null || flags === null || deoptimized === null) return null;
  const pcOffset = pc - first;
  if (wordOf(start, 0) !== first || pcOffset <= 0 || pcOffset > size) return null;
  return {
    code,
    kind: kindName(flags & codeKinds.mask, codeKinds.baseline),
    pcOffset,
    deoptimized: (deoptimized & layout.codeDeoptimized.mask) !== 0,
  };
}

/** In CodeKind's list MAGLEV and TURBOFAN(_JS) follow BASELINE: src/objects/code-kind.h. */
function kindName(kind: number, baseline: number): CodeAtPc["kind"] {
  if (kind === baseline) return "baseline";
  if (kind === baseline + 1) return "maglev";
  return kind === baseline + 2 ? "turbofan" : "other";
}

/** The bytecode that baseline code was executing; null when its tables cannot be read. */
export function baselineBytecodeOffset(
  heap: V8Heap,
  at: CodeAtPc,
  bytecodeArray: Tagged,
): number | null {
  const { bytecodeSizes, fields, layout } = heap.v8;
  if (bytecodeSizes === null) return null;
  const table = heap.pointer(at.code, layout.codePositions);
  const content = byteArrayContent(heap, table, positionTableBytesMax);
  const length = heap.smi(bytecodeArray, fields.bytecodeLength);
  if (content === null || length === null || length <= 0 || length > positionTableBytesMax) {
    return null;
  }
  const bytecodes = readLong(heap, bytecodeArray, fields.bytecodeData, length);
  if (bytecodes === null) return null;
  return findBytecodeOffset(content, bytecodes, bytecodeSizes, at.pcOffset);
}

/**
 * The functions at the counter in optimized code, innermost first, the outermost with `shared` null.
 * Null when the code carries no positions; cut at the first entry that does not make sense.
 */
export function optimizedPositions(heap: V8Heap, at: CodeAtPc): readonly InlinedPosition[] | null {
  const { layout, deoptIndex } = heap.v8;
  const table = byteArrayContent(
    heap,
    heap.pointer(at.code, layout.codePositions),
    positionTableBytesMax,
  );
  if (table === null || table.length === 0) return null;
  // The counter is one instruction past the call.
  let position = findSourcePosition(table, at.pcOffset - 1, layout.positionSteps);
  const deopt = heap.pointer(at.code, layout.codeDeoptimizationData);
  const stack: InlinedPosition[] = [];
  while (position !== null && position.inliningId >= 0) {
    if (deopt === null || stack.length >= inliningDepthMax) return null;
    const inlined = readInlining(heap, deopt, position, deoptIndex);
    if (inlined === null) return null;
    stack.push({ shared: inlined.shared, scriptOffset: position.scriptOffset });
    position = inlined.at;
  }
  if (position === null) return null;
  stack.push({ shared: null, scriptOffset: position.scriptOffset });
  return stack;
}

/** struct InliningPosition { SourcePosition position; int inlined_function_id; } */
function readInlining(
  heap: V8Heap,
  deopt: Tagged,
  position: SourcePosition,
  index: { readonly literals: number; readonly inliningPositions: number },
): { shared: Tagged; at: SourcePosition } | null {
  const { arrayData } = heap.v8.fields;
  const table = heap.pointer(deopt, arrayData + 8 * index.inliningPositions);
  const content = byteArrayContent(heap, table, positionTableBytesMax);
  const entry = position.inliningId * inliningPositionBytes;
  if (content === null || entry + inliningPositionBytes > content.length) return null;
  const at = unpackSourcePosition(wordOf(content, entry));
  const literal = content.readInt32LE(entry + 8);
  const literals = heap.pointer(deopt, arrayData + 8 * index.literals);
  if (at === null || literals === null || literal < 0) return null;
  const shared = heap.pointer(literals, arrayData + 8 * literal);
  return heap.isType(shared, heap.v8.types.sharedFunctionInfo) ? { shared, at } : null;
}
