// The whole stack of a blocked thread: native frames down to the JavaScript that called them, then
// the JavaScript frames. Watchdog thread; costs about a millisecond, none of it the blocked thread's.

import { type MapRegion, type Maps, parseMaps } from "../kernel/maps";
import type { ProcRoot } from "../kernel/proc-root";
import { fail, type Result, succeed } from "../model/result";
import type { NativeFrame, ThreadStack } from "../model/stack";
import { type Address, address, bytes } from "../model/units";
import { openElf } from "./elf";
import { readJsStack } from "./js-frames";
import { type Memory, openSelfMemory, selfExecutablePath, withBudget, withPages } from "./memory";
import { createModuleImages, type ModuleImages } from "./module-images";
import { readNativeStack } from "./native-stack";
import { type NativePlace, openRunningThread, type RunningThread } from "./running-thread";
import { mangledNames, symbolNames } from "./symbolize";
import { loadV8Metadata, type V8Metadata } from "./v8-metadata";

/** Stacks, heap objects and source text of one examination; far more than any that was seen. */
const examinationBytes = bytes(16 * 1024 * 1024);
/** A process with 10,000 mappings has 1 MiB of them. */
const mapsBytes = bytes(4 * 1024 * 1024);

export interface StackExaminer {
  /** For single reads outside a stack, such as a poll's descriptors. */
  readonly memory: Memory;
  /** Why JavaScript frames cannot be read in this Node; null if they can. */
  readonly jsGap: string | null;
  /**
   * `left`: where the isolate says that JavaScript was left, if it is known. Native code may run on a stack of its own
   * (koffi's calls do), from which nothing leads back to JavaScript.
   */
  examine(pc: Address, sp: Address, left?: NativePlace | null): ThreadStack;
  /** For one thread while it is on CPU; null where V8's layout is not known. */
  openRunning(): RunningThread | null;
  close(): void;
}

/** Fails where this process may not read its own memory, or reads nothing there. */
export function createStackExaminer(proc: ProcRoot): Result<StackExaminer> {
  const memory = openSelfMemory();
  if (!memory.ok) return memory;
  const refusal = refusalOf(proc, memory.value);
  if (refusal !== null) {
    memory.value.close();
    return refusal;
  }
  const images = createModuleImages();
  const v8 = loadV8();
  const jsGap = v8.ok ? null : `JavaScript frames cannot be read: ${v8.detail}`;
  return succeed({
    memory: memory.value,
    jsGap,
    examine: (pc, sp, left = null) =>
      examine({ proc, memory: memory.value, images, v8, jsGap }, { pc, sp, left }),
    openRunning: () =>
      v8.ok ? openRunning({ proc, memory: memory.value, images, v8, jsGap }, v8.value) : null,
    close() {
      memory.value.close();
      images.close();
    },
  });
}

function openRunning({ proc, memory, images }: Sources, v8: V8Metadata): RunningThread {
  const maps = () => {
    const read = readMaps(proc);
    return read.ok ? read.value : null;
  };
  const imageAt = (at: Address, among: Maps) => {
    const region = among.find(at);
    const image = region === null ? null : images.imageOf(region, among, memory);
    return image?.ok === true ? image.value : null;
  };
  const nameAt = (at: Address, among: Maps) => {
    const image = imageAt(at, among);
    const names = image === null ? null : mangledNames(image, [at - image.bias - 1]);
    return (names?.ok === true ? names.value[0] : null) ?? null;
  };
  const frameAt = (entry: Address, among: Maps): NativeFrame => {
    const image = imageAt(entry, among);
    const names = image === null ? null : symbolNames(image, [entry - image.bias]);
    return {
      address: entry,
      module: among.find(entry)?.path ?? null,
      moduleOffset: image === null ? null : entry - image.bias,
      symbol: (names?.ok === true ? names.value[0] : null) ?? null,
      trust: "called",
    };
  };
  return openRunningThread({ memory, v8, maps, nameAt, frameAt });
}

/** What opens need not read: a sandbox may put an empty file in its place. Null where it reads. */
function refusalOf(proc: ProcRoot, memory: Memory): Result<never> | null {
  const maps = readMaps(proc);
  const readable = maps.ok ? maps.value.regions.find((region) => region.executable) : undefined;
  if (readable === undefined) return null;
  const first = memory.read(readable.low, bytes(8));
  return first.ok ? null : fail(first.why, `self/mem: ${first.detail}`);
}

function loadV8(): Result<V8Metadata> {
  const elf = openElf(selfExecutablePath);
  return elf.ok ? loadV8Metadata(elf.value) : elf;
}

interface Sources {
  readonly proc: ProcRoot;
  readonly memory: Memory;
  readonly images: ModuleImages;
  readonly v8: Result<V8Metadata>;
  readonly jsGap: string | null;
}

const nothing = (gap: string): ThreadStack => ({ native: [], js: [], gaps: [gap] });

interface Blocked {
  readonly pc: Address;
  readonly sp: Address;
  readonly left: NativePlace | null;
}

function examine(sources: Sources, { pc, sp, left }: Blocked): ThreadStack {
  const maps = readMaps(sources.proc);
  if (!maps.ok) return nothing(`memory mappings: ${maps.detail}`);
  const stack = maps.value.find(sp);
  if (stack === null) return nothing("the stack pointer lies in no mapping");
  const memory = withPages(withBudget(sources.memory, examinationBytes));
  const shared = { memory, maps: maps.value, stackHigh: stack.high };
  const native = readNativeStack({ ...shared, images: sources.images, pc, sp });
  if (!sources.v8.ok) {
    return { native: native.frames, js: [], gaps: [...native.gaps, sources.jsGap ?? ""] };
  }
  const start = startElsewhere(maps.value, stack, left) ?? {
    fp: native.atJs?.fp ?? null,
    pc: native.atJs?.pc ?? null,
    // The thread's own: V8's isolate is found by a pointer among the native frames.
    sp,
    stackHigh: stack.high,
  };
  const js = readJsStack({ memory, maps: maps.value, v8: sources.v8.value, start });
  return { native: native.frames, js: js.frames, gaps: [...native.gaps, ...js.gaps] };
}

/** Null where the exit frame lies on the stack that the thread sleeps on. */
function startElsewhere(maps: Maps, stack: MapRegion, left: NativePlace | null) {
  if (left === null || (left.exitFp >= stack.low && left.exitFp < stack.high)) return null;
  const stackHigh = maps.find(left.exitFp)?.high;
  if (stackHigh === undefined) return null;
  return { fp: left.exitFp, isExit: true, sp: address(left.exitSp - 8), stackHigh };
}

function readMaps(proc: ProcRoot): Result<Maps> {
  const text = proc.readText("self/maps", mapsBytes);
  return text.ok ? parseMaps(text.value) : text;
}
