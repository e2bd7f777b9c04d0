// The JavaScript stack of a thread that is blocked in native code, read from outside: frames from
// v8-frames, functions and positions from the heap. Watchdog thread. A frame whose position cannot be
// had for certain has no line, and a sentence in `gaps` says why.

import type { Maps } from "../kernel/maps";
import type { JsFrame } from "../model/stack";
import { type Address, address } from "../model/units";
import { isEvalScript, lineAndColumn, scriptOf } from "./js-position";
import { type Memory, withPages } from "./memory";
import {
  baselineBytecodeOffset,
  type CodeAtPc,
  findCode,
  type InlinedPosition,
  optimizedPositions,
} from "./v8-code";
import { bytecodeOf, type CallSite, callSiteOf } from "./v8-deopt-data";
import {
  findExitFrame,
  type StackRange,
  slotAddress,
  type V8Chain,
  type V8Frame,
  walkChain,
} from "./v8-frames";
import { byteArrayContent, openHeap, type Tagged, taggedPointer, type V8Heap } from "./v8-heap";
import type { V8Metadata } from "./v8-metadata";
import { certainName, functionName, isNativeFunction, methodName, sharedOf } from "./v8-names";
import { scriptText } from "./v8-script-text";
import { findSourcePosition } from "./v8-source-positions";
import { withKnownName } from "./zlib-wrapper";

export interface JsStackRequest {
  readonly memory: Memory;
  readonly maps: Maps;
  readonly v8: V8Metadata;
  readonly start: {
    /** Frame pointer of the innermost V8 frame if known; it decides where the isolate names none. */
    readonly fp: Address | null;
    /** True: that frame is the exit frame that the isolate names, so it need not be looked for. */
    readonly isExit?: boolean;
    /** Where that frame was left, if known: needed when compiled code called native code directly. */
    readonly pc?: Address | null;
    /** The blocked thread's stack pointer, below its C++ frames: the isolate is found among them. */
    readonly sp: Address;
    /** First address after its stack. */
    readonly stackHigh: Address;
  };
}

export interface JsStack {
  /** Innermost first. */
  readonly frames: readonly JsFrame[];
  readonly gaps: readonly string[];
}

/** 8 MiB: a stack, and the heap pages that about 100 functions live on. */
const pagesMax = 2048;
const tableBytesMax = 1_048_576;

/** The live JavaScript frames. Costs about a millisecond; a result without frames says why in `gaps`. */
export function readJsStack(request: JsStackRequest): JsStack {
  const memory = withPages(request.memory, pagesMax);
  const gaps = new Set<string>();
  const range: StackRange = {
    memory,
    v8: request.v8,
    maps: request.maps,
    sp: request.start.sp,
    stackHigh: request.start.stackHigh,
  };
  const { fp, pc = null, isExit = false } = request.start;
  const chain = isExit && fp !== null ? walkChain(range, fp, null) : findChain(range, fp, pc, gaps);
  if (chain === null) return { frames: [], gaps: [...gaps] };
  if (chain.dropped > 0) gaps.add(`${chain.dropped} outer V8 frames are left out`);
  const heap = openHeap(memory, request.v8);
  const reader = new FrameReader(heap, request.maps, gaps);
  const frames = chain.frames.flatMap((frame, index) =>
    reader.read(frame, chain.frames[index + 1]?.kind === "construct"),
  );
  if (frames.length === 0) gaps.add("V8's frames on this stack hold no function of a script");
  return { frames, gaps: [...gaps] };
}

/**
 * The isolate's own word goes before the caller's: it cannot be stale. Without one, native code was
 * called directly from compiled code, and only the caller's unwinder can know where that was.
 */
function findChain(
  range: StackRange,
  fp: Address | null,
  pc: Address | null,
  gaps: Set<string>,
): V8Chain | null {
  const exitFp = findExitFrame(range);
  const named = exitFp === null ? null : walkChain(range, exitFp, null);
  if (named !== null) return named;
  if (fp === null) {
    gaps.add("V8 has no exit frame on this stack, so no JavaScript was looked for");
    return null;
  }
  const given = walkChain(range, fp, pc);
  if (given === null) gaps.add("V8's frames do not lead to the outermost entry of JavaScript");
  return given;
}

type Tier = JsFrame["tier"];

/** One examination's frame reading; it only collects sentences for what it could not read. */
class FrameReader {
  private readonly heap: V8Heap;
  private readonly maps: Maps;
  private readonly gaps: Set<string>;

  constructor(heap: V8Heap, maps: Maps, gaps: Set<string>) {
    this.heap = heap;
    this.maps = maps;
    this.gaps = gaps;
  }

  /** None for frames without a function; several where functions were inlined. */
  read(frame: V8Frame, construct: boolean): JsFrame[] {
    if (frame.kind === "builtin-exit") return this.builtinExit(frame);
    if (frame.kind !== "js") return [];
    const { frame: layout } = this.heap.v8;
    const object = this.slot(frame.fp + layout.function);
    const shared = sharedOf(this.heap, object);
    if (object === null || shared === null) {
      this.gaps.add("a V8 frame holds no function");
      return [];
    }
    const receiver = construct ? null : this.slot(frame.fp + layout.receiver);
    const name = methodName(this.heap, { object, shared }, receiver) ?? this.evalName(shared);
    const printed = construct ? `new ${name ?? "<anonymous>"}` : name;
    if (this.isBuiltin(shared)) return this.builtin(shared, printed);
    const context = this.slot(frame.fp + layout.context);
    return this.script(frame, shared, withKnownName(this.heap, { shared, context }, printed));
  }

  /** V8 calls whatever has no name in an eval'd script so. */
  private evalName(shared: Tagged): string | null {
    const script = scriptOf(this.heap, shared);
    return script !== null && isEvalScript(this.heap, script) ? "eval" : null;
  }

  /** A builtin's SharedFunctionInfo holds its number instead of bytecode. */
  private isBuiltin(shared: Tagged): boolean {
    return this.heap.smi(shared, this.heap.v8.layout.sharedFunctionData) !== null;
  }

  /** V8 leaves its helpers (promise resolve functions and the like) out of stack traces. */
  private builtin(shared: Tagged, name: string | null): JsFrame[] {
    if (!isNativeFunction(this.heap, shared)) return [];
    return [{ functionName: name, script: null, line: null, column: null, tier: "builtin" }];
  }

  /** Builtins written in C++ (Atomics.wait): new target and function follow the return address. */
  private builtinExit(frame: V8Frame): JsFrame[] {
    const shared = sharedOf(this.heap, this.slot(frame.fp + 24));
    if (shared === null || !this.isBuiltin(shared)) return [];
    return this.builtin(shared, functionName(this.heap, shared));
  }

  private script(frame: V8Frame, shared: Tagged, name: string | null): JsFrame[] {
    const region = frame.pc === null ? null : this.maps.find(frame.pc);
    // Builtins, the interpreter among them, run from the file or from a second mapping of it.
    const inFile = region !== null && region.inode !== 0;
    const code = inFile || frame.pc === null ? null : findCode(this.heap, this.maps, frame.pc);
    // A script's function that is not compiled is interpreted, also by a copy of the interpreter
    // (--interpreted-frames-native-stack), which is heap code of another kind.
    if (inFile || code?.kind === "other") return [this.interpreted(frame, shared, name)];
    if (code === null) {
      return [this.without(shared, name, "unknown", "its machine code is not known to V8's heap")];
    }
    if (code.kind === "baseline") return [this.baseline(frame, code, shared, name)];
    return this.optimized(code, code.kind, shared, name);
  }

  private interpreted(frame: V8Frame, shared: Tagged, name: string | null): JsFrame {
    const { v8 } = this.heap;
    const bytecodeArray = this.slot(frame.fp + v8.frame.bytecodeArray);
    const stored = this.heap.smi(frame.fp + 1, v8.frame.bytecodeOffset);
    if (!this.heap.isType(bytecodeArray, v8.types.bytecodeArray) || stored === null) {
      return this.without(shared, name, "unknown", "its frame is not the interpreter's");
    }
    // The interpreter counts from the tagged pointer, not from the first bytecode.
    const offset = stored - (v8.fields.bytecodeData - 1);
    return this.atBytecode(shared, name, "interpreted", bytecodeArray, offset);
  }

  private baseline(frame: V8Frame, code: CodeAtPc, shared: Tagged, name: string | null): JsFrame {
    const { v8 } = this.heap;
    const bytecodeArray = this.slot(frame.fp + v8.frame.bytecodeArray);
    if (!this.heap.isType(bytecodeArray, v8.types.bytecodeArray)) {
      return this.without(shared, name, "baseline", "its frame holds no bytecode");
    }
    const offset = baselineBytecodeOffset(this.heap, code, bytecodeArray);
    if (offset === null) {
      return this.without(shared, name, "baseline", "the binary has no table of bytecode sizes");
    }
    return this.atBytecode(shared, name, "baseline", bytecodeArray, offset);
  }

  private optimized(
    code: CodeAtPc,
    tier: "maglev" | "turbofan",
    shared: Tagged,
    name: string | null,
  ): JsFrame[] {
    const site = callSiteOf(this.heap, code);
    if (site !== null && !site.hasInlined) {
      const bytecodeArray = bytecodeOf(this.heap, shared);
      if (bytecodeArray !== null) {
        return [this.atBytecode(shared, name, tier, bytecodeArray, site.bytecodeOffset)];
      }
    }
    if (code.deoptimized) {
      return [this.without(shared, name, tier, "it was deoptimized while it was being called")];
    }
    const positions = optimizedPositions(this.heap, code);
    if (positions === null) {
      return [this.without(shared, name, tier, "its optimized code carries no source positions")];
    }
    if (tier === "maglev" && !this.agrees(positions[0], site, shared)) {
      return [this.without(shared, name, tier, "its optimized code tells two positions")];
    }
    return positions.map((position) =>
      this.at(
        position.shared ?? shared,
        position.shared === null ? name : certainName(this.heap, position.shared),
        tier,
        position.scriptOffset,
      ),
    );
  }

  /** Maglev's table of positions leaves calls out, which then seem to be where the last one was. */
  private agrees(
    innermost: InlinedPosition | undefined,
    site: CallSite | null,
    outer: Tagged,
  ): boolean {
    if (innermost === undefined || site === null) return false;
    const bytecodeArray = bytecodeOf(this.heap, innermost.shared ?? outer);
    if (bytecodeArray === null) return false;
    return this.bytecodePosition(bytecodeArray, site.bytecodeOffset) === innermost.scriptOffset;
  }

  private atBytecode(
    shared: Tagged,
    name: string | null,
    tier: Tier,
    bytecodeArray: Tagged,
    offset: number,
  ): JsFrame {
    const scriptOffset = this.bytecodePosition(bytecodeArray, offset);
    return scriptOffset === null
      ? this.without(shared, name, tier, "its bytecode carries no source positions")
      : this.at(shared, name, tier, scriptOffset);
  }

  private bytecodePosition(bytecodeArray: Tagged, offset: number): number | null {
    const { bytecodeArraySourcePositions, positionSteps } = this.heap.v8.layout;
    const table = byteArrayContent(
      this.heap,
      this.heap.pointer(bytecodeArray, bytecodeArraySourcePositions),
      tableBytesMax,
    );
    if (table === null) return null;
    return findSourcePosition(table, offset, positionSteps)?.scriptOffset ?? null;
  }

  private at(shared: Tagged, name: string | null, tier: Tier, scriptOffset: number): JsFrame {
    const script = scriptOf(this.heap, shared);
    const place = script === null ? null : lineAndColumn(this.heap, script, scriptOffset);
    if (place === null) {
      return this.without(shared, name, tier, "its script's lines could not be counted");
    }
    return { functionName: name, script: scriptText(this.heap, shared), ...place, tier };
  }

  private without(shared: Tagged, name: string | null, tier: Tier, why: string): JsFrame {
    this.gaps.add(`${name ?? "an anonymous function"} has no line: ${why}`);
    const script = scriptText(this.heap, shared);
    return { functionName: name, script, line: null, column: null, tier };
  }

  /** The tagged pointer in a stack slot. */
  private slot(at: number): Tagged | null {
    const word = slotAddress(this.heap.memory, address(at));
    return word === null ? null : taggedPointer(word);
  }
}
