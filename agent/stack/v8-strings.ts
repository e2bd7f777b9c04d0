// Reads JavaScript strings in another thread's heap: sequential, external, cons, sliced and thin, one
// or two bytes a character. Watchdog thread. Bounded in characters and in steps, so a damaged or
// cyclic string ends as null.
// Layouts: src/objects/string.tq and src/objects/instance-type.h at the tags in v8-versions.ts.

import { address, bytes } from "../model/units";
import { wordOf } from "./memory";
import { smiIn, type Tagged, taggedPointer, type V8Heap } from "./v8-heap";

/** Function and script names; what is longer is cut there. */
export const nameCharactersMax = 1024;

/** A run of characters stored together. */
interface Run {
  /** Address of the first character. */
  readonly at: number;
  readonly characters: number;
  readonly oneByte: boolean;
}

/** A cons string of n pieces has n - 1 inner nodes; a source text is flat, names have a few. */
const stepsMax = 4096;
const pieceBytes = 65_536;
/** String::kMaxLength is 2^29 - 24; what claims more is no string. */
const lengthMax = 2 ** 29;

/** A short string, cut at `max` characters; null when `string` is no string or not readable. */
export function readString(
  heap: V8Heap,
  string: Tagged | null,
  max: number = nameCharactersMax,
): string | null {
  if (string === null || stringLength(heap, string) === null) return null;
  const parts: string[] = [];
  const whole = forEachPiece(heap, string, max, (piece, oneByte) => {
    parts.push(piece.toString(oneByte ? "latin1" : "utf16le"));
    return true;
  });
  return whole ? parts.join("") : null;
}

/** Number of UTF-16 units; null when `string` is no string. */
export function stringLength(heap: V8Heap, string: Tagged): number | null {
  const type = heap.typeOf(string);
  if (type === null || type >= heap.v8.types.firstNonstring) return null;
  const length = heap.uint32(string, heap.v8.strings.length);
  return length === null || length > lengthMax ? null : length;
}

/**
 * Gives the first `max` characters in pieces of at most 64 KiB, in order, until `take` says false.
 * True when all that was wanted could be read.
 */
export function forEachPiece(
  heap: V8Heap,
  string: Tagged,
  max: number,
  take: (piece: Buffer, oneByte: boolean) => boolean,
): boolean {
  let left = max;
  let steps = 0;
  const pending: Slice[] = [{ string, from: 0, characters: Number.POSITIVE_INFINITY }];
  for (let slice = pending.pop(); slice !== undefined && left > 0; slice = pending.pop()) {
    if (++steps > stepsMax) return false;
    const next = resolve(heap, slice);
    if (next === null) return false;
    if (Array.isArray(next)) {
      pending.push(...next);
      continue;
    }
    const outcome = takeRun(heap, next, left, take);
    if (outcome !== "more") return outcome === "enough";
    left -= next.characters;
  }
  return true;
}

interface Slice {
  readonly string: Tagged;
  readonly from: number;
  readonly characters: number;
}

function takeRun(
  heap: V8Heap,
  run: Run,
  max: number,
  take: (piece: Buffer, oneByte: boolean) => boolean,
): "more" | "enough" | "unreadable" {
  const width = run.oneByte ? 1 : 2;
  const end = Math.min(run.characters, max) * width;
  for (let done = 0; done < end; done += pieceBytes) {
    const piece = heap.memory.read(address(run.at + done), bytes(Math.min(pieceBytes, end - done)));
    if (!piece.ok) return "unreadable";
    if (!take(piece.value, run.oneByte)) return "enough";
  }
  return "more";
}

/** One step towards characters: a run, or the slices in its place, the first one last. */
function resolve(heap: V8Heap, slice: Slice): Run | Slice[] | null {
  const { strings } = heap.v8;
  const length = stringLength(heap, slice.string);
  if (length === null || slice.from > length) return null;
  const characters = Math.min(slice.characters, length - slice.from);
  const oneByte = ((heap.typeOf(slice.string) ?? 0) & strings.encodingMask) === strings.oneByteTag;
  switch ((heap.typeOf(slice.string) ?? 0) & strings.representationMask) {
    case strings.thinTag:
      return redirect(heap.pointer(slice.string, strings.thinActual), slice.from, characters);
    case strings.slicedTag: {
      const offset = heap.smi(slice.string, strings.slicedOffset);
      if (offset === null || offset < 0) return null;
      const parent = heap.pointer(slice.string, strings.slicedParent);
      return redirect(parent, slice.from + offset, characters);
    }
    case strings.consTag:
      return splitCons(heap, slice.string, slice.from, characters);
    case strings.externalTag:
      return externalRun(heap, slice, characters, oneByte);
    case 0: {
      const at = slice.string - 1 + strings.chars + slice.from * (oneByte ? 1 : 2);
      return { at, characters, oneByte };
    }
    default:
      return null;
  }
}

const redirect = (string: Tagged | null, from: number, characters: number): Slice[] | null =>
  string === null ? null : [{ string, from, characters }];

function splitCons(heap: V8Heap, cons: Tagged, from: number, characters: number): Slice[] | null {
  const first = heap.pointer(cons, heap.v8.strings.consFirst);
  const second = heap.pointer(cons, heap.v8.strings.consSecond);
  if (first === null || second === null) return null;
  const firstLength = stringLength(heap, first);
  if (firstLength === null) return null;
  const inFirst = Math.max(0, Math.min(characters, firstLength - from));
  const slices: Slice[] = [];
  const inSecond = characters - inFirst;
  if (inSecond > 0) {
    slices.push({ string: second, from: Math.max(0, from - firstLength), characters: inSecond });
  }
  if (inFirst > 0) slices.push({ string: first, from, characters: inFirst });
  return slices;
}

/**
 * ExternalString keeps resource_data right after resource, except when it is uncached
 * (kUncachedExternalStringTag, bit 4 of the instance type): then only its C++ object knows.
 */
const uncachedBit = 0x10;

function externalRun(heap: V8Heap, slice: Slice, characters: number, oneByte: boolean): Run | null {
  if (((heap.typeOf(slice.string) ?? 0) & uncachedBit) !== 0) return null;
  const field = heap.bytes(slice.string, heap.v8.strings.externalResource + 8, 8);
  if (field === null) return null;
  const data = wordOf(field, 0);
  return { at: data + slice.from * (oneByte ? 1 : 2), characters, oneByte };
}

/** Whether the word is a tagged pointer to a string; Smis and garbage are not. */
export function isString(heap: V8Heap, object: Tagged | null): object is Tagged {
  return object !== null && stringLength(heap, object) !== null;
}

/** The string or small integer at a slot of an array, as callers that accept both need it. */
export function slotValue(heap: V8Heap, object: Tagged, offset: number): Tagged | "smi" | null {
  const field = heap.bytes(object, offset, 8);
  if (field === null) return null;
  return smiIn(field, 0) === null ? taggedPointer(wordOf(field, 0)) : "smi";
}
