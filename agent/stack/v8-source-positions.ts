// Decodes V8's source position tables and bytecode offset tables. Pure; watchdog thread.
// Formats: src/codegen/source-position-table.cc, src/base/vlq.h, src/codegen/source-position.h and
// src/baseline/bytecode-offset-iterator.h at the tags in v8-versions.ts.

export interface SourcePosition {
  /** Characters from the start of the script. */
  readonly scriptOffset: number;
  /** Index into the inlining positions of optimized code; -1 for the outermost function. */
  readonly inliningId: number;
}

/** kFunctionEntryBytecodeOffset: the table counts code offsets from here. */
const functionEntry = -1;
/** Bits of a SourcePosition: is_external 1, script offset + 1 in 30, inlining id + 1 in 16. */
const scriptOffsetRange = 2 ** 30;
const inliningIdShift = 2 ** 31;
const inliningIdRange = 2 ** 16;
/** Ten groups of 7 bits hold 64 bits; more is no number. */
const groupsMax = 10;

/** The position of the last entry at or before `codeOffset`; null when there is none. */
export function findSourcePosition(
  table: Buffer,
  codeOffset: number,
  steps: "signed" | "flagged",
): SourcePosition | null {
  const cursor = { at: 0 };
  let offset = functionEntry;
  let position = 0;
  let found: number | null = null;
  while (cursor.at < table.length) {
    const step = readStep(table, cursor, steps);
    const move = readSigned(table, cursor);
    if (step === null || move === null) return null;
    offset += step;
    position += move;
    if (offset > codeOffset) break;
    found = position;
  }
  return found === null ? null : unpackSourcePosition(found);
}

/** Takes apart a SourcePosition's 64-bit value; null when it is not a place in a script. */
export function unpackSourcePosition(value: number): SourcePosition | null {
  if (!Number.isSafeInteger(value) || value < 0 || value % 2 !== 0) return null;
  const scriptOffset = (Math.floor(value / 2) % scriptOffsetRange) - 1;
  const inliningId = (Math.floor(value / inliningIdShift) % inliningIdRange) - 1;
  return scriptOffset < 0 ? null : { scriptOffset, inliningId };
}

/**
 * The offset of the bytecode whose baseline code holds the return address `pcOffset` bytes after the
 * code's start; null when the tables disagree. The table gives, for the prologue and then for each
 * bytecode in order, the length of its machine code.
 */
export function findBytecodeOffset(
  table: Buffer,
  bytecodes: Buffer,
  sizes: Buffer,
  pcOffset: number,
): number | null {
  const cursor = { at: 0 };
  let end = readUnsigned(table, cursor);
  let current = functionEntry;
  let next = 0;
  while (end !== null && end < pcOffset) {
    const length = readUnsigned(table, cursor);
    const size = bytecodeSize(bytecodes, sizes, next);
    if (length === null || size === null) return null;
    current = next;
    next += size;
    end += length;
  }
  return end === null || current < 0 ? null : current;
}

/** Bytecode::kWide and kExtraWide, and their debug-break forms, scale the next bytecode's operands. */
const scaleOfPrefix: readonly (1 | 2)[] = [1, 2, 1, 2];

/** Bytes of the bytecode at `at`, its prefix included; null past the end or for an unknown one. */
function bytecodeSize(bytecodes: Buffer, sizes: Buffer, at: number): number | null {
  const count = sizes.length / 3;
  const first = bytecodes[at];
  if (first === undefined) return null;
  const scale = scaleOfPrefix[first];
  const bytecode = scale === undefined ? first : bytecodes[at + 1];
  if (bytecode === undefined || bytecode >= count) return null;
  const size = sizes[(scale ?? 0) * count + bytecode];
  if (size === undefined || size === 0) return null;
  return scale === undefined ? size : size + 1;
}

function readStep(
  table: Buffer,
  cursor: { at: number },
  steps: "signed" | "flagged",
): number | null {
  if (steps === "flagged") {
    const flagged = readUnsigned(table, cursor);
    return flagged === null ? null : Math.floor(flagged / 4);
  }
  // The sign tells statements from expressions: -(n + 1) is an expression n further on.
  const signed = readSigned(table, cursor);
  return signed === null || signed >= 0 ? signed : -(signed + 1);
}

function readSigned(table: Buffer, cursor: { at: number }): number | null {
  const value = readUnsigned(table, cursor);
  if (value === null) return null;
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function readUnsigned(table: Buffer, cursor: { at: number }): number | null {
  let value = 0;
  for (let group = 0; group < groupsMax; group++) {
    const byte = table[cursor.at];
    if (byte === undefined) return null;
    cursor.at++;
    value += (byte & 0x7f) * 2 ** (7 * group);
    if ((byte & 0x80) === 0) return value;
  }
  return null;
}
