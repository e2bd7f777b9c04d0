// Finds V8's isolate of a thread, so that a thread on CPU can be asked from outside whether it is in
// native code, and where it left JavaScript: the kernel shows neither its stack pointer nor its
// program counter. Watchdog thread; once for each watched thread, while that one sleeps.

import { type Address, address } from "../model/units";
import { type Memory, withPages } from "./memory";
import type { V8Metadata } from "./v8-metadata";

/** What lies deeper than this below main() has nothing of its own to say. */
const scanBytesMax = 131_072;
/** Node's objects that lead to an isolate (Environment, IsolateData, a loop) hold it near their start. */
const indirectBytes = 512;
/** One for each thread that runs JavaScript; a worker's is on the stack of the thread that made it. */
const isolatesMax = 16;
const pagesMax = 2048;
const lowestPointer = 65_536;
const pointerEnd = 2 ** 47;

/**
 * An isolate holds its own address twice: in IsolateData (isolate_address_, src/execution/isolate-data.h)
 * and in ThreadLocalTop (isolate_, src/execution/thread-local-top.h). The second, by V8 version, is
 * counted from ThreadLocalTop::c_entry_fp_. Taken from running nodes of the four versions.
 */
const ownAddressAt = 8;
const ownAddressFromExit: ReadonlyMap<string, number> = new Map([
  ["11.3", -0x70],
  ["12.4", 0x60],
  ["13.6", 0x60],
  ["14.6", 0x60],
]);

/**
 * The isolates that the stack from `sp` leads to, at most one pointer away; empty where V8's version is
 * not in the table. Each holds both self references, which no other object does. Costs about 20 ms.
 */
export function findIsolates(
  memory: Memory,
  v8: V8Metadata,
  stack: { readonly sp: Address; readonly high: Address },
): readonly Address[] {
  const pages = withPages(memory, pagesMax);
  const isIsolate = isolateTest(pages, v8);
  if (isIsolate === null) return [];
  const found = new Set<number>();
  const seen = new Set<number>();
  const consider = (word: number): boolean => {
    if (isIsolate(word)) found.add(word);
    return found.size < isolatesMax;
  };
  const end = Math.min(stack.high, stack.sp + scanBytesMax);
  for (const word of pointersIn(pages, stack.sp, end)) {
    const isOnStack = word >= stack.sp && word < stack.high;
    if (isOnStack || seen.has(word)) continue;
    seen.add(word);
    if (!consider(word)) break;
    for (const inner of pointersIn(pages, word, word + indirectBytes)) consider(inner);
  }
  return [...found].map(address);
}

function isolateTest(memory: Memory, v8: V8Metadata): ((at: number) => boolean) | null {
  const [major, minor] = v8.version.split(".");
  const fromExit = ownAddressFromExit.get(`${major}.${minor}`);
  if (fromExit === undefined) return null;
  const holds = (at: number, word: number): boolean => {
    const read = memory.word(address(at));
    return read.ok && read.value === word;
  };
  const inTop = v8.layout.isolateCEntryFp + fromExit;
  return (at) => holds(at + ownAddressAt, at) && holds(at + inTop, at);
}

/** The words there that could be pointers to C++ objects, up to the first that cannot be read. */
function* pointersIn(memory: Memory, low: number, high: number): Generator<number> {
  for (let at = low; at + 8 <= high; at += 8) {
    const word = memory.word(address(at));
    if (!word.ok) return;
    const { value } = word;
    if (value % 8 === 0 && value >= lowestPointer && value < pointerEnd) yield value;
  }
}
