// Reads the native frames of a thread that is blocked in a system call, innermost first, down to the
// JavaScript that called them. Watchdog thread. The stack is read while its thread may wake: the
// caller compares the thread's syscall line before and after, and drops what it read if they differ.

import type { Maps } from "../kernel/maps";
import type { FrameTrust, NativeFrame } from "../model/stack";
import { type Address, address } from "../model/units";
import { type Row, rowAt } from "./cfa-program";
import { type Fde, findFde } from "./eh-frame";
import type { Memory } from "./memory";
import type { ModuleImage, ModuleImages } from "./module-images";
import { type FoundFrame, findFramePointer, type ResyncInput, scanForCaller } from "./resync";
import { mangledNames, symbolNames } from "./symbolize";
import { type Machine, type Registers, registerNames, type StepResult, step } from "./unwind";

export interface NativeStackInput {
  /** With pages kept and a budget: see withPages and withBudget. */
  readonly memory: Memory;
  readonly maps: Maps;
  readonly images: ModuleImages;
  /** From proc_pid_syscall(5): the instruction after the system call. */
  readonly pc: Address;
  readonly sp: Address;
  /** End of the mapping that holds the stack. */
  readonly stackHigh: Address;
  /** Of the examined process; this one's own where it is left out. */
  readonly machine?: Machine;
}

/** Where native code was called from JavaScript: the registers there. */
export interface JsBoundary {
  readonly pc: Address;
  readonly sp: Address;
  /** The frame pointer of that JavaScript or builtin frame; null when no native frame kept it. */
  readonly fp: Address | null;
  /** Of `pc` and `sp`, as that of a frame; after a guess they may be stale. */
  readonly trust: FrameTrust;
}

export interface NativeStack {
  readonly frames: readonly NativeFrame[];
  /** Null when no JavaScript was met: it called nothing, or `gaps` says why unwinding ended before. */
  readonly atJs: JsBoundary | null;
  readonly gaps: readonly string[];
}

/** A deeper native stack names nothing new. */
const framesMax = 128;
/** After so many frames that had to be guessed nothing further would be believed. */
const guessesMax = 4;
const builtinPrefix = "Builtins_";

/** Never throws for what the memory holds; what could not be read is told in `gaps`. */
export function readNativeStack(input: NativeStackInput): NativeStack {
  const walk: Walk = { input, machine: input.machine ?? ownMachine, places: [], gaps: [] };
  const registers: Registers = { pc: input.pc, sp: input.sp, known: new Map() };
  const atJs = follow(walk, { registers, trust: "register" });
  return { frames: describe(walk), atJs, gaps: walk.gaps };
}

/** From caller to caller; what stands at the end is JavaScript, or null with a gap if one is left. */
function follow(walk: Walk, start: FoundFrame): JsBoundary | null {
  let here = start;
  let guesses = 0;
  while (walk.places.length < framesMax && guesses <= guessesMax) {
    const next = visit(walk, here);
    if (next.kind === "js") return boundaryOf(walk.machine, here);
    if (next.kind === "end") {
      walk.gaps.push(...next.gaps);
      return null;
    }
    if (next.frame.trust === "guess") guesses += 1;
    // A chain that starts at a stale frame is consistent in itself: nothing after a guess is proven.
    here = guesses > 0 ? { ...next.frame, trust: "guess" } : next.frame;
  }
  walk.gaps.push(`the native stack was read no further than ${walk.places.length} frames`);
  return null;
}

const ownMachine: Machine = process.arch === "arm64" ? "arm64" : "x64";

interface Walk {
  readonly input: NativeStackInput;
  readonly machine: Machine;
  readonly places: Place[];
  readonly gaps: string[];
}

interface Place {
  readonly pc: number;
  readonly trust: FrameTrust;
  readonly path: string;
  readonly image: ModuleImage | null;
  /** Of the instruction that the frame is in, as the image's tables count. */
  readonly vaddr: number;
}

type Next =
  | { readonly kind: "caller"; readonly frame: FoundFrame }
  | { readonly kind: "js" }
  /** Without a gap at the thread's first frame, where nothing is missing. */
  | { readonly kind: "end"; readonly gaps: readonly string[] };

const js: Next = { kind: "js" };
const end = (...gaps: readonly string[]): Next => ({ kind: "end", gaps });

/** Notes the frame at `here`, unless it is JavaScript's, and finds its caller. */
function visit(walk: Walk, here: FoundFrame): Next {
  const { maps, images, memory } = walk.input;
  const { pc } = here.registers;
  const region = maps.find(address(pc));
  if (region?.executable !== true) return end(`${hex(pc)} is no code`);
  // V8's generated code lies in memory without a file, whether or not the kernel gave it a name.
  if (region.path === "" || region.path.startsWith("[anon")) return js;
  const found = images.imageOf(region, maps, memory);
  if (!found.ok) {
    walk.gaps.push(`${region.path}: ${found.detail}`);
    walk.places.push({ pc, trust: here.trust, path: region.path, image: null, vaddr: pc });
    return scan(walk, here.registers, null);
  }
  const image = found.value;
  // The first pc is where the thread goes on; its callers' lie behind their calls.
  const vaddr = pc - image.bias - (walk.places.length === 0 ? 0 : 1);
  const fde = findFde(image.elf, vaddr);
  if (!fde.ok && isBuiltin(walk, image, vaddr)) return js;
  walk.places.push({ pc, trust: here.trust, path: region.path, image, vaddr });
  return fde.ok
    ? unwind(walk, here.registers, image, fde.value, vaddr)
    : scan(walk, here.registers, entryBySymbol(image, vaddr));
}

/** Where the symbol around `vaddr` starts, in memory: for code that has no FDE to say it. */
function entryBySymbol(image: ModuleImage, vaddr: number): number | null {
  const symbols = image.elf.symbolsAt([vaddr]);
  const symbol = (symbols.ok ? symbols.value[0] : null) ?? null;
  return symbol === null ? null : image.bias + symbol.vaddr;
}

function unwind(
  walk: Walk,
  registers: Registers,
  image: ModuleImage,
  fde: Fde,
  vaddr: number,
): Next {
  const row = rowAt(fde, vaddr);
  if (!row.ok) return end(`${image.path}: ${row.detail}`);
  // So the thread's first function says that nobody called it.
  if (row.value.rules.get(fde.returnRegister)?.kind === "undefined") return end();
  const first = tryStep(walk, registers, fde, row.value);
  if (!("needsRegister" in first)) return callerOf(walk, registers, first, "unwound");
  const resync = resyncInput(walk, registers, image.bias + fde.low);
  const found = findFramePointer(resync, row.value);
  const second = found === null ? null : tryStep(walk, found.registers, fde, row.value);
  if (found === null || second === null || "needsRegister" in second) {
    return scan(walk, registers, resync.entry);
  }
  return callerOf(walk, registers, second, found.trust);
}

function tryStep(walk: Walk, registers: Registers, fde: Fde, row: Row): StepResult {
  const { machine, input } = walk;
  const { returnRegister } = fde;
  return step({ machine, memory: input.memory, registers, row, returnRegister });
}

function callerOf(
  walk: Walk,
  from: Registers,
  result: Exclude<StepResult, { needsRegister: number }>,
  trust: FrameTrust,
): Next {
  if (!result.ok) return end(`the caller of the frame at ${hex(from.pc)}: ${result.detail}`);
  return checked(walk, from, { registers: result.value, trust });
}

function scan(walk: Walk, from: Registers, entry: number | null): Next {
  const found = scanForCaller(resyncInput(walk, from, entry));
  if (found === null) return end(`no caller could be found for the frame at ${hex(from.pc)}`);
  return checked(walk, from, found);
}

/** Every frame lies above the one it called, so no chain of frames is endless. */
function checked(walk: Walk, from: Registers, frame: FoundFrame): Next {
  const { sp } = frame.registers;
  // Only arm64's leaf functions have an empty frame, and only the first frame is a leaf.
  const isAbove = walk.places.length === 1 ? sp >= from.sp : sp > from.sp;
  if (!isAbove || sp > walk.input.stackHigh) {
    return end(`the caller of the frame at ${hex(from.pc)} lies outside the stack`);
  }
  if (frame.trust === "guess") {
    walk.gaps.push(`the caller of the frame at ${hex(from.pc)} was found by scanning the stack`);
  }
  return { kind: "caller", frame };
}

function resyncInput(walk: Walk, registers: Registers, entry: number | null): ResyncInput {
  const { memory, maps, stackHigh } = walk.input;
  return { machine: walk.machine, memory, maps, registers, stackHigh, entry };
}

/**
 * V8's embedded builtins lie in node's own text, without call frame information. A stripped node has
 * no names for them; there the metadata that only V8's own module exports decides.
 */
function isBuiltin(walk: Walk, image: ModuleImage, vaddr: number): boolean {
  const names = mangledNames(image, [vaddr]);
  const name = (names.ok ? names.value[0] : null) ?? null;
  if (name !== null) return name.startsWith(builtinPrefix);
  if (image.elf.section(".symtab") !== null) return false;
  const metadata = image.elf.symbolsWithPrefix("v8dbg_", [".dynsym"]);
  if (!metadata.ok || metadata.value.length === 0) return false;
  walk.gaps.push(`${image.path} is stripped: ${hex(vaddr)} was taken for one of V8's builtins`);
  return true;
}

function boundaryOf(machine: Machine, { registers, trust }: FoundFrame): JsBoundary {
  const fp = registers.known.get(registerNames[machine].fp);
  return {
    pc: address(registers.pc),
    sp: address(registers.sp),
    fp: fp === undefined ? null : address(fp),
    trust,
  };
}

function describe(walk: Walk): NativeFrame[] {
  const names = new Map<Place, string | null>();
  for (const image of new Set(walk.places.map((place) => place.image))) {
    const places = walk.places.filter((place) => place.image === image);
    if (image === null) continue;
    const found = symbolNames(
      image,
      places.map(({ vaddr }) => vaddr),
    );
    if (!found.ok) walk.gaps.push(`symbols of ${image.path}: ${found.detail}`);
    for (const [index, place] of places.entries()) {
      names.set(place, found.ok ? (found.value[index] ?? null) : null);
    }
  }
  return walk.places.map((place) => ({
    address: address(place.pc),
    module: place.path,
    moduleOffset: place.image === null ? null : place.pc - place.image.bias,
    symbol: names.get(place) ?? null,
    trust: place.trust,
  }));
}

const hex = (value: number): string => `0x${value.toString(16)}`;
