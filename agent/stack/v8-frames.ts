// Finds V8's live frames on a blocked thread's stack. V8 code always keeps frame pointers, so the
// frames are one chain, and each segment of JavaScript ends in an entry frame that remembers the exit
// frame of the segment before it. Only frames on a chain that reaches the outermost entry are given:
// the stack below and between them is full of dead ones. Watchdog thread.
// Layout: src/execution/frame-constants.h and frames.cc at the tags in v8-versions.ts.

import type { Maps } from "../kernel/maps";
import { type Address, address, bytes } from "../model/units";
import { type Memory, wordOf } from "./memory";
import type { V8Metadata } from "./v8-metadata";

/** `js` is any frame with a function in it: interpreted, compiled, or a builtin called like one. */
export type V8FrameKind = "js" | "entry" | "exit" | "builtin-exit" | "construct" | "other";

export interface V8Frame {
  readonly kind: V8FrameKind;
  readonly fp: Address;
  /** Where this frame goes on when its callee returns; null for the innermost when not given. */
  readonly pc: Address | null;
}

export interface V8Chain {
  /** Innermost first. */
  readonly frames: readonly V8Frame[];
  /** Frames beyond `framesMax`, walked but not kept. */
  readonly dropped: number;
}

export interface StackRange {
  readonly memory: Memory;
  readonly v8: V8Metadata;
  readonly maps: Maps;
  readonly sp: Address;
  /** First address after the stack. */
  readonly stackHigh: Address;
}

/** The innermost frames name the culprit; a recursion can have 10 000. */
const framesMax = 256;
/** V8's default stack of 984 KiB holds about 12 000 frames; larger ones are set by option. */
const chainMax = 262_144;
/** C++ between the blocked call and JavaScript rarely takes 64 KiB; hiredis has a 16 KiB buffer. */
const scanBytesMax = 262_144;
/** Distinct pointers on the C++ part of a stack; a few hundred, each costs one read. */
const isolatesTriedMax = 1024;
const lowestPointer = 65_536;
const pointerEnd = 2 ** 47;
/** Frame type markers are small integers shifted by the tag bit; StackFrame::TypeToMarker. */
const frameTypesMax = 64;

/**
 * The chain from the frame pointer `fp`. Null when it is broken or does not reach the outermost
 * entry frame. `pc` is where the frame at `fp` was left, if known.
 */
export function walkChain(range: StackRange, fp: Address, pc: Address | null): V8Chain | null {
  const frames: V8Frame[] = [];
  let dropped = 0;
  let next: { fp: Address; pc: Address | null } | null = { fp, pc };
  for (let steps = 0; next !== null && steps < chainMax; steps++) {
    const here = readFrame(range, next.fp);
    if (here === null) return null;
    if (frames.length < framesMax) frames.push({ kind: here.kind, fp: next.fp, pc: next.pc });
    else dropped++;
    if (here.caller === "outermost") return { frames, dropped };
    if (here.caller.fp <= next.fp) return null;
    next = here.caller;
  }
  return null;
}

/**
 * The frame pointer of the innermost exit frame when the unwinder has none. The isolate keeps it, and
 * C++ called from JavaScript keeps the isolate on the stack; V8 clears it on return, so it is never
 * stale. A word that is no isolate does not lead back to an exit frame of this very stack. Null when
 * there is none: no JavaScript on this stack, or native code called without an exit frame (V8's fast
 * API calls). Searching the stack for frames themselves would find dead ones.
 */
export function findExitFrame(range: StackRange): Address | null {
  const { isolateCEntryFp } = range.v8.layout;
  const tried = new Set<number>();
  const end = Math.min(range.stackHigh, range.sp + scanBytesMax);
  for (let at: number = range.sp; at + 8 <= end && tried.size < isolatesTriedMax; at += 8) {
    const word = range.memory.word(address(at));
    if (!word.ok) return null;
    if (!couldBeIsolate(range, word.value) || tried.has(word.value)) continue;
    tried.add(word.value);
    const field = range.memory.word(address(word.value + isolateCEntryFp));
    if (field.ok && isExitFrame(range, address(field.value))) return address(field.value);
  }
  return null;
}

/** An isolate is allocated on the C++ heap, aligned as any object is. */
function couldBeIsolate(range: StackRange, word: number): boolean {
  const inStackItself = word >= range.sp && word < range.stackHigh;
  return word % 8 === 0 && word >= lowestPointer && word < pointerEnd && !inStackItself;
}

/** The word at a frame's slot, as an address with its signature or tag bits above 2^48 cleared. */
export function slotAddress(memory: Memory, at: number): Address | null {
  const word = memory.read(address(at), bytes(8));
  return word.ok ? addressIn(word.value, 0) : null;
}

/** arm64 may sign return addresses in the upper bits (pointer authentication); user space has 48. */
function addressIn(buffer: Buffer, at: number): Address {
  return address(buffer.readUInt32LE(at) + buffer.readUInt16LE(at + 4) * 2 ** 32);
}

/** The frame type a marker word stands for; null for a context, which makes it a `js` frame. */
function markerType(word: number): number | null {
  return word % 2 === 0 && word > 0 && word < frameTypesMax * 2 ? word / 2 : null;
}

function kindOf(v8: V8Metadata, type: number): V8FrameKind {
  const { frameTypes } = v8;
  if (frameTypes.entry.includes(type)) return "entry";
  if (frameTypes.builtinExit.includes(type)) return "builtin-exit";
  if (frameTypes.exit.includes(type) || frameTypes.apiCallbackExit.includes(type)) return "exit";
  return frameTypes.construct.includes(type) ? "construct" : "other";
}

interface ReadFrame {
  readonly kind: V8FrameKind;
  readonly caller: "outermost" | { readonly fp: Address; readonly pc: Address | null };
}

function readFrame(range: StackRange, fp: Address): ReadFrame | null {
  if (!inStack(range, fp)) return null;
  const slots = range.memory.read(address(fp - 8), bytes(24));
  if (!slots.ok) return null;
  const marker = wordOf(slots.value, 0);
  const type = markerType(marker);
  // Without a marker the slot holds the context, a heap object.
  if (type === null && marker % 4 !== 1) return null;
  const kind = type === null ? "js" : kindOf(range.v8, type);
  if (kind === "entry") return readEntry(range, fp);
  const callerFp = address(wordOf(slots.value, 8));
  const callerPc = addressIn(slots.value, 16);
  if (!inStack(range, callerFp)) return null;
  if (range.maps.find(callerPc)?.executable !== true) return null;
  return { kind, caller: { fp: callerFp, pc: callerPc } };
}

function readEntry(range: StackRange, fp: Address): ReadFrame | null {
  const outer = range.memory.word(address(fp + range.v8.frame.entryCEntryFp));
  if (!outer.ok) return null;
  if (outer.value === 0) return { kind: "entry", caller: "outermost" };
  const outerFp = address(outer.value);
  return isExitFrame(range, outerFp) ? { kind: "entry", caller: { fp: outerFp, pc: null } } : null;
}

function inStack(range: StackRange, fp: Address): boolean {
  return fp % 8 === 0 && fp > range.sp && fp + 16 <= range.stackHigh;
}

/** An exit frame has a marker, and the stack pointer it left with right below that. */
function isExitFrame(range: StackRange, fp: Address): boolean {
  if (!inStack(range, fp)) return false;
  const slots = range.memory.read(address(fp - 16), bytes(16));
  if (!slots.ok) return false;
  const type = markerType(wordOf(slots.value, 8));
  if (type === null || !isExitType(range.v8, type)) return false;
  const left = wordOf(slots.value, 0);
  return left >= range.sp && left < fp && left % 8 === 0;
}

function isExitType(v8: V8Metadata, type: number): boolean {
  const kind = kindOf(v8, type);
  return kind === "exit" || kind === "builtin-exit";
}
