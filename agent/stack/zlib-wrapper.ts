// By which name a wrapper of node:zlib is known. Node makes gzipSync, brotliCompressSync and their like as one
// closure, syncBufferWrapper, over the class that does the work; so the class gives the name, also where an
// application took the function out of its module. Watchdog thread.
// https://github.com/nodejs/node/blob/v24.21.0/lib/zlib.js createConvenienceMethod and module.exports

import { scriptName, scriptOf } from "./js-position";
import type { Tagged, V8Heap } from "./v8-heap";
import { functionName, sharedOf } from "./v8-names";

const wrapper = "syncBufferWrapper";
const script = "node:zlib";
/** A context's slots follow map, length, scope info and the outer context; V8 may put one word more between. */
const contextSlots: readonly number[] = [32, 40];

/** `name` with the name it is known by, as V8 words it in a stack trace; `name` where it is no such wrapper. */
export function withKnownName(
  heap: V8Heap,
  frame: { readonly shared: Tagged; readonly context: Tagged | null },
  name: string | null,
): string | null {
  if (name !== wrapper || frame.context === null) return name;
  const owner = scriptOf(heap, frame.shared);
  if (owner === null || scriptName(heap, owner) !== script) return name;
  for (const slot of contextSlots) {
    const captured = sharedOf(heap, heap.pointer(frame.context, slot));
    const worker = captured === null ? null : functionName(heap, captured);
    if (worker !== null) {
      return `${name} [as ${worker.charAt(0).toLowerCase()}${worker.slice(1)}Sync]`;
    }
  }
  return name;
}
