// From a character offset in a script to line and column, and the script's name, as V8 prints them.
// Watchdog thread.
// Rules: src/objects/script.cc GetPositionInfo, GetNameOrSourceURL and GetEvalOrigin, src/objects/
// string.cc CalculateLineEnds; layout: src/objects/script.tq at the tags in v8-versions.ts.

import { arrayLength, type Tagged, type V8Heap } from "./v8-heap";
import { forEachPiece, readString } from "./v8-strings";

export interface LineAndColumn {
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

/** Lines of the largest bundles; a longer table is a misread one. */
const linesMax = 4_194_304;
/** Characters read to count lines where V8 has no table of them yet. */
const sourceCharactersMax = 4_194_304;
/** script.tq: source, name, line_offset, column_offset; four and five fields after eval_from_shared: flags, source_url. */
const lineOffsetAfterName = 8;
const columnOffsetAfterName = 16;
const flagsAfterEvalFromShared = 32;
const sourceUrlAfterEvalFromShared = 40;

/** The script of a function; null when it has none. */
export function scriptOf(heap: V8Heap, shared: Tagged): Tagged | null {
  const script = heap.pointer(shared, heap.v8.fields.sharedScript);
  return heap.isType(script, heap.v8.types.script) ? script : null;
}

/** A `sourceURL` comment's text, else the name it was compiled with; null for none. */
export function scriptName(heap: V8Heap, script: Tagged): string | null {
  const { fields } = heap.v8;
  const url = heap.pointer(script, fields.scriptEvalFromShared + sourceUrlAfterEvalFromShared);
  return readString(heap, url) || readString(heap, heap.pointer(script, fields.scriptName)) || null;
}

/** Whether eval or the Function constructor compiled it; Script::Flags compilation_type. */
export function isEvalScript(heap: V8Heap, script: Tagged): boolean {
  const flags = heap.smi(script, heap.v8.fields.scriptEvalFromShared + flagsAfterEvalFromShared);
  return flags !== null && flags % 2 === 1;
}

/** The function and position where this script was made by eval; null for any other script. */
export function evalOrigin(
  heap: V8Heap,
  script: Tagged,
): { readonly shared: Tagged; readonly scriptOffset: number | null } | null {
  const { fields, types } = heap.v8;
  const shared = heap.pointer(script, fields.scriptEvalFromShared);
  if (!heap.isType(shared, types.sharedFunctionInfo)) return null;
  // Negative while it is a bytecode offset that V8 has not yet translated.
  const at = heap.smi(script, fields.scriptEvalFromPosition);
  return { shared, scriptOffset: at === null || at < 0 ? null : at };
}

/** Where `offset` is in the script; null when neither line table nor source text could be read. */
export function lineAndColumn(heap: V8Heap, script: Tagged, offset: number): LineAndColumn | null {
  const { fields } = heap.v8;
  const lineOffset = heap.smi(script, fields.scriptName + lineOffsetAfterName);
  const columnOffset = heap.smi(script, fields.scriptName + columnOffsetAfterName);
  if (lineOffset === null || columnOffset === null) return null;
  const ends = heap.pointer(script, fields.scriptLineEnds);
  const place =
    (ends === null ? null : placeByTable(heap, ends, offset)) ?? placeByText(heap, script, offset);
  if (place === null) return null;
  const column = place.line === 0 ? place.column + columnOffset : place.column;
  return { line: place.line + lineOffset + 1, column: column + 1 };
}

/** 0-based; the table holds the offset of each line's terminator as a Smi. */
function placeByTable(
  heap: V8Heap,
  ends: Tagged,
  offset: number,
): { line: number; column: number } | null {
  if (!heap.isType(ends, heap.v8.types.fixedArray)) return null;
  const count = arrayLength(heap, ends, linesMax);
  // An empty table is V8's mark for "not computed yet".
  if (count === null || count === 0) return null;
  const line = firstLineEndingAt(heap, ends, count, offset);
  if (line === null) return null;
  if (line === 0) return { line, column: offset };
  const before = lineEnd(heap, ends, line - 1);
  return before === null ? null : { line, column: offset - before - 1 };
}

/** The first line that ends at or after `offset`; null past the last one. */
function firstLineEndingAt(
  heap: V8Heap,
  ends: Tagged,
  count: number,
  offset: number,
): number | null {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const end = lineEnd(heap, ends, middle);
    if (end === null) return null;
    if (end < offset) low = middle + 1;
    else high = middle;
  }
  return low < count ? low : null;
}

const lineEnd = (heap: V8Heap, ends: Tagged, line: number): number | null =>
  heap.smi(ends, heap.v8.fields.arrayData + 8 * line);

/** 0-based, by counting line terminators in the source before `offset`. */
function placeByText(
  heap: V8Heap,
  script: Tagged,
  offset: number,
): { line: number; column: number } | null {
  const source = heap.pointer(script, heap.v8.fields.scriptSource);
  if (source === null || offset > sourceCharactersMax) return null;
  const counter = { line: 0, lineStart: 0, at: 0, carriageReturn: false };
  // One character more tells whether a CR at the end is half of a CR LF.
  const complete = forEachPiece(heap, source, offset + 1, (piece, oneByte) => {
    countLines(counter, piece, oneByte ? 1 : 2, offset);
    return true;
  });
  if (!complete || counter.at < offset) return null;
  return { line: counter.line, column: offset - counter.lineStart };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const lineSeparator = 0x2028;
const paragraphSeparator = 0x2029;

function countLines(
  counter: { line: number; lineStart: number; at: number; carriageReturn: boolean },
  piece: Buffer,
  width: 1 | 2,
  offset: number,
): void {
  for (let index = 0; index + width <= piece.length; index += width) {
    const character = width === 1 ? (piece[index] as number) : piece.readUInt16LE(index);
    // CR ends a line unless LF follows, which then ends it.
    if (counter.carriageReturn && character !== lineFeed) startLine(counter);
    counter.carriageReturn = character === carriageReturn && counter.at < offset;
    if (counter.at >= offset) return;
    counter.at++;
    if (character === lineFeed || character === lineSeparator || character === paragraphSeparator) {
      startLine(counter);
    }
  }
}

function startLine(counter: { line: number; lineStart: number; at: number }): void {
  counter.line++;
  counter.lineStart = counter.at;
}
