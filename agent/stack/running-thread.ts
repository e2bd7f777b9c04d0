// A thread on CPU, seen from outside. While native code runs that JavaScript called, V8's isolate holds
// the frame at which JavaScript was left (the exit frame), and everything above it on the stack stands
// still: it can be read as if the thread were blocked. Watchdog thread.

import type { MapRegion, Maps } from "../kernel/maps";
import type { JsExit, JsFrame, NativeFrame, ThreadStack } from "../model/stack";
import { type Address, address, bytes } from "../model/units";
import { apiCallee } from "./api-callee";
import { findIsolates } from "./isolate";
import { type JsStack, readJsStack } from "./js-frames";
import { type Memory, withBudget, withPages, wordOf } from "./memory";
import type { V8Metadata } from "./v8-metadata";

/** `javascript`: no native code that JavaScript called, or only a fast call that leaves no frame. */
export type RunningPlace = { readonly kind: "javascript" } | NativePlace;

export interface NativePlace {
  readonly kind: "native";
  readonly isolate: Address;
  /** Frame pointer of the exit frame. */
  readonly exitFp: Address;
  /** The stack pointer when JavaScript was left; native frames lie below. */
  readonly exitSp: Address;
  /** Where in its function JavaScript made the call: no two calls of a function return to the same place. */
  readonly caller: string;
  /** The same for the same call of the same function from the same place, as far as a few words tell. */
  readonly key: string;
}

export interface RunningThread {
  /** The thread sleeps with this stack pointer: its isolate is looked for, until it is found. */
  slept(sp: Address): void;
  /** Where it is now: a few reads of memory. Null while that cannot be told. */
  place(): RunningPlace | null;
  /**
   * The JavaScript above that place. If the thread has left it meanwhile, what of Node's own JavaScript and
   * further out stayed the same; null if that is nothing. About a millisecond.
   */
  examine(place: NativePlace): ThreadStack | null;
}

export interface RunningSources {
  readonly memory: Memory;
  readonly v8: V8Metadata;
  readonly maps: () => Maps | null;
  /** Mangled name of the function that returns to that place; null where no symbol says it. */
  readonly nameAt: (at: Address, maps: Maps) => string | null;
  /** The frame of a function that was called at its entry. */
  readonly frameAt: (entry: Address, maps: Maps) => NativeFrame;
}

/** A search that found nothing four times is not worth more of the watchdog's time. */
const searchesMax = 4;
/** The main thread's mapping grows downwards with its stack; ulimit -s is 8 MiB, some set 64. */
const stackBytesMax = 67_108_864;
const examinationBytes = bytes(16 * 1024 * 1024);
/** Of the stack around the exit frame: the same bytes before and after mean the same call. */
const sameBytesBelow = 8;
const sameBytesAbove = 256;

interface Found {
  readonly stackHigh: Address;
  readonly isolates: readonly Address[];
  /** Code that was mapped from a file: among it the interpreter, which returns to one place for all. */
  readonly fileCode: readonly MapRegion[];
}

export function openRunningThread(sources: RunningSources): RunningThread {
  let found: Found | null = null;
  let searchesLeft = searchesMax;
  return {
    slept(sp) {
      if (found !== null || searchesLeft === 0) return;
      searchesLeft--;
      found = search(sources, sp);
    },
    place() {
      if (found === null) return null;
      const place = placeOf(sources, found);
      // Others were a worker's: they never have a frame on this stack.
      if (place?.kind === "native") found = { ...found, isolates: [place.isolate] };
      return place;
    },
    examine: (place) => (found === null ? null : examine(sources, found, place)),
  };
}

function search({ memory, v8, maps }: RunningSources, sp: Address): Found | null {
  const now = maps();
  const stackHigh = now?.find(sp)?.high;
  if (now === null || stackHigh === undefined) return null;
  const isolates = findIsolates(memory, v8, { sp, high: stackHigh });
  if (isolates.length === 0) return null;
  const fileCode = now.regions.filter((region) => region.executable && region.inode !== 0);
  return { stackHigh, isolates, fileCode };
}

function placeOf(sources: RunningSources, found: Found): RunningPlace | null {
  const { memory, v8 } = sources;
  let isOutside = false;
  for (const isolate of found.isolates) {
    const fp = memory.word(address(isolate + v8.layout.isolateCEntryFp));
    if (!fp.ok) continue;
    if (fp.value === 0) isOutside = true;
    else if (isOnStack(found.stackHigh, fp.value)) {
      const place = nativePlace(sources, found, isolate, address(fp.value));
      if (place !== null) return place;
    }
  }
  return isOutside ? { kind: "javascript" } : null;
}

const isOnStack = (stackHigh: Address, at: number): boolean =>
  at % 8 === 0 && at < stackHigh && at > stackHigh - stackBytesMax;

/**
 * ExitFrameConstants::kSPOffset is -2 words, a frame's type one word lower than its caller's fp, which
 * its caller's pc follows; src/execution/frame-constants.h. Null for what is no such frame any more.
 */
function nativePlace(
  { memory, v8 }: RunningSources,
  found: Found,
  isolate: Address,
  exitFp: Address,
): NativePlace | null {
  const frame = memory.read(address(exitFp - 16), bytes(48));
  if (!frame.ok) return null;
  const [exitSp = 0, type = 0, callerFp = 0, returnPc = 0, ...target] = [0, 8, 16, 24, 32, 40].map(
    (at) => wordOf(frame.value, at),
  );
  const { exit, builtinExit, apiCallbackExit } = v8.frameTypes;
  const isExit = [...exit, ...builtinExit, ...apiCallbackExit].includes(type / 2);
  if (!isExit || exitSp % 8 !== 0 || exitSp >= exitFp || !isOnStack(found.stackHigh, callerFp)) {
    return null;
  }
  // All interpreted functions are returned to at one place: there the bytecode's offset tells calls apart.
  const isInFile = found.fileCode.some(({ low, high }) => returnPc >= low && returnPc < high);
  const offset = isInFile ? memory.word(address(callerFp + v8.frame.bytecodeOffset)) : null;
  const caller = `${returnPc}+${offset?.ok === true ? offset.value : 0}`;
  const key = [exitFp, caller, ...target].join(" ");
  return { kind: "native", isolate, exitFp, exitSp: address(exitSp), caller, key };
}

function examine(sources: RunningSources, found: Found, place: NativePlace): ThreadStack | null {
  const before = fingerprint(sources, place);
  const maps = sources.maps();
  if (before === null || maps === null || wordOf(before, 0) !== place.exitFp) return null;
  const js = readFrames(sources, maps, found.stackHigh, place);
  const exit = exitKind(sources, place, maps, js.frames);
  const native = exit === "api" ? calledFrames(sources, place, maps) : [];
  const after = fingerprint(sources, place);
  if (after?.equals(before) !== true) return lasting(sources, maps, found, js);
  return { native, js: js.frames, gaps: js.gaps, ...(exit === null ? {} : { exit }) };
}

function readFrames(
  sources: RunningSources,
  maps: Maps,
  stackHigh: Address,
  { exitFp, exitSp }: NativePlace,
): JsStack {
  const memory = withPages(withBudget(sources.memory, examinationBytes));
  const start = { fp: exitFp, isExit: true, sp: address(exitSp - 8), stackHigh };
  return readJsStack({ memory, maps, v8: sources.v8, start });
}

/**
 * Short native calls in quick succession change the inner frames under the reader's eyes. The outer ones
 * that a second reading finds unchanged were there at both; they count if Node's JavaScript is innermost and
 * was called by a script, for then its function is the one that makes those calls.
 */
function lasting(
  sources: RunningSources,
  maps: Maps,
  found: Found,
  first: JsStack,
): ThreadStack | null {
  const place = placeOf(sources, found);
  if (place?.kind !== "native") return null;
  const second = readFrames(sources, maps, found.stackHigh, place);
  const frames = commonOuter(first.frames, second.frames);
  const isOfNode = frames[0]?.script?.startsWith("node:") === true;
  const hasCaller = frames.some(({ script }) => script?.startsWith("node:") === false);
  return isOfNode && hasCaller ? { native: [], js: frames, gaps: [] } : null;
}

function commonOuter(first: readonly JsFrame[], second: readonly JsFrame[]): readonly JsFrame[] {
  let count = 0;
  while (isSameFrame(first.at(-1 - count), second.at(-1 - count))) count++;
  return second.slice(second.length - count);
}

function isSameFrame(one: JsFrame | undefined, other: JsFrame | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const isSameFunction = one.functionName === other.functionName && one.script === other.script;
  return isSameFunction && one.line === other.line && one.column === other.column;
}

function calledFrames(
  { memory, v8, frameAt }: RunningSources,
  { exitFp }: NativePlace,
  maps: Maps,
): readonly NativeFrame[] {
  const type = memory.word(address(exitFp - 8));
  const isPlainExit = type.ok && v8.frameTypes.exit.includes(type.value / 2);
  const callee = apiCallee({ memory, v8, maps, exitFp, isPlainExit });
  if (callee === null) return [];
  const frame = frameAt(callee.entry, maps);
  // Node's own say where they belong; of an addon, JavaScript's name is the one that people know.
  const isNodes = frame.symbol?.startsWith("node::") === true;
  return [{ ...frame, symbol: isNodes ? frame.symbol : callee.name || frame.symbol }];
}

/**
 * By the builtin that called C++, which the word below the exit frame returns to: V8 calls functions of
 * an API by CallApiCallback and by HandleApiCall, and all else by CEntry; src/builtins/x64/builtins-x64.cc.
 * The frame of HandleApiCall is that of any builtin written in C++; its function tells them apart.
 */
function exitKind(
  { memory, v8, nameAt }: RunningSources,
  { exitFp, exitSp }: NativePlace,
  maps: Maps,
  frames: readonly JsFrame[],
): JsExit | null {
  const type = memory.word(address(exitFp - 8));
  const calledBy = memory.word(address(exitSp - 8));
  if (!type.ok || !calledBy.ok) return null;
  const { builtinExit, apiCallbackExit } = v8.frameTypes;
  if (apiCallbackExit.includes(type.value / 2)) return "api";
  if (builtinExit.includes(type.value / 2))
    return frames[0]?.tier === "builtin" ? "builtin" : "api";
  const name = nameAt(address(calledBy.value), maps);
  if (name === null) return null;
  return /^Builtins_CallApi/.test(name) ? "api" : "runtime";
}

/** The isolate's word and the stack around the exit frame. */
function fingerprint({ memory, v8 }: RunningSources, place: NativePlace): Buffer | null {
  const { isolate, exitFp, exitSp } = place;
  const from = exitSp - sameBytesBelow;
  const word = memory.read(address(isolate + v8.layout.isolateCEntryFp), bytes(8));
  const stack = memory.read(address(from), bytes(exitFp + sameBytesAbove - from));
  return word.ok && stack.ok ? Buffer.concat([word.value, stack.value]) : null;
}
