// Which native function JavaScript has called, by what V8 keeps of it in the exit frame: the function's
// template, with the address that V8 called and the data given with it. So an addon is known by its
// own code's address, also one that computes without a call and shows nothing on the stack. Watchdog thread.
// The words were found in running nodes of the versions named, beside an addon whose functions are known.

import type { MapRegion, Maps } from "../kernel/maps";
import { type Address, address } from "../model/units";
import type { Memory } from "./memory";
import { openHeap, type Tagged, taggedPointer, type V8Heap } from "./v8-heap";
import type { V8Metadata } from "./v8-metadata";
import { functionName, sharedOf } from "./v8-names";

export interface ApiCallee {
  /** Of the native code that was called. */
  readonly entry: Address;
  readonly region: MapRegion;
  /** As JavaScript knows it; null where the template has none, or is not in the frame. */
  readonly name: string | null;
}

/** Bytes: slots from the exit frame's pointer, fields from the start of their object. */
interface CalleeLayout {
  /** FunctionTemplateInfo in the frame, or the function that has it (HandleApiCall of V8 11). */
  readonly slot: { readonly at: number; readonly holds: "template" | "function" };
  /** FunctionTemplateInfo::shared_function_info; src/objects/templates.tq. */
  readonly shared: number;
  /** Where data and callback are: in the template, or in its CallHandlerInfo (V8 11). */
  readonly handler: number | null;
  readonly data: number;
  readonly callback: number;
  /** The data where CallApiCallback left by an ordinary exit frame: FunctionCallbackArguments' implicit ones. */
  readonly dataSlot: number | null;
}

const layouts: ReadonlyMap<string, CalleeLayout> = new Map([
  [
    "11.3",
    {
      slot: { at: 24, holds: "function" },
      shared: 80,
      handler: 48,
      data: 8,
      callback: 16,
      dataSlot: 48,
    },
  ],
  [
    "12.4",
    {
      slot: { at: 16, holds: "template" },
      shared: 64,
      handler: null,
      data: 80,
      callback: 96,
      dataSlot: 48,
    },
  ],
  [
    "13.6",
    {
      slot: { at: 48, holds: "template" },
      shared: 72,
      handler: null,
      data: 88,
      callback: 112,
      dataSlot: null,
    },
  ],
  [
    "14.6",
    {
      slot: { at: 40, holds: "template" },
      shared: 72,
      handler: null,
      data: 88,
      callback: 112,
      dataSlot: null,
    },
  ],
]);

/** JSExternalObject's value follows map, properties and elements; src/objects/js-objects.tq. */
const externalValue = 24;
/**
 * Node-API gives V8 one function of Node for all, and as data a CallbackBundle: env, the addon's own data,
 * and its callback; https://github.com/nodejs/node/blob/v24.21.0/src/js_native_api_v8.cc class CallbackBundle.
 */
const bundleCallback = 16;
/** A SharedFunctionInfo names its template in its first or second field, by version. */
const templateFields: readonly number[] = [8, 16];

export interface CalleeRequest {
  readonly memory: Memory;
  readonly v8: V8Metadata;
  readonly maps: Maps;
  readonly exitFp: Address;
  /** CallApiCallback was left by an ordinary exit frame, which has no template. */
  readonly isPlainExit: boolean;
}

/** Null where V8's version is not in the table, or the words there are not what they should be. */
export function apiCallee(request: CalleeRequest): ApiCallee | null {
  const [major, minor] = request.v8.version.split(".");
  const layout = layouts.get(`${major}.${minor}`);
  if (layout === undefined) return null;
  const reader: Reader = { ...request, layout, heap: openHeap(request.memory, request.v8) };
  if (request.isPlainExit) {
    const data = layout.dataSlot === null ? null : slot(reader, layout.dataSlot);
    const bundled = data === null ? null : bundledCode(reader, data);
    return bundled === null ? null : { ...bundled, name: null };
  }
  return calleeOfTemplate(reader);
}

interface Reader extends CalleeRequest {
  readonly layout: CalleeLayout;
  readonly heap: V8Heap;
}

function calleeOfTemplate(reader: Reader): ApiCallee | null {
  const { layout, heap } = reader;
  const template = templateOf(reader);
  const shared = template === null ? null : heap.pointer(template, layout.shared);
  if (template === null || !heap.isType(shared, heap.v8.types.sharedFunctionInfo)) return null;
  // Each names the other, so that no other object is taken for a template.
  if (!templateFields.some((at) => heap.pointer(shared, at) === template)) return null;
  const handler = layout.handler === null ? template : heap.pointer(template, layout.handler);
  if (handler === null) return null;
  const code = codeAt(reader, handler - 1 + layout.callback);
  const data = heap.pointer(handler, layout.data);
  const bundled = data === null ? null : bundledCode(reader, data);
  const found = bundled ?? code;
  return found === null ? null : { ...found, name: functionName(heap, shared) };
}

function templateOf(reader: Reader): Tagged | null {
  const { heap, layout } = reader;
  const held = slot(reader, layout.slot.at);
  if (held === null || layout.slot.holds === "template") return held;
  const shared = sharedOf(heap, held);
  return shared === null ? null : heap.pointer(shared, heap.v8.layout.sharedFunctionData);
}

function slot({ memory, exitFp }: Reader, at: number): Tagged | null {
  const word = memory.word(address(exitFp + at));
  return word.ok ? taggedPointer(word.value) : null;
}

interface Code {
  readonly entry: Address;
  readonly region: MapRegion;
}

/** The addon's function behind Node-API's own; null for data that is no such bundle. */
function bundledCode(reader: Reader, data: Tagged): Code | null {
  const bundle = reader.memory.word(address(data - 1 + externalValue));
  if (!bundle.ok || bundle.value % 8 !== 0) return null;
  return codeAt(reader, bundle.value + bundleCallback);
}

/** The code that the word at `at` leads to, if it was mapped from a file. */
function codeAt({ memory, maps }: Reader, at: number): Code | null {
  const entry = memory.word(address(at));
  const region = entry.ok ? maps.find(address(entry.value)) : null;
  if (!entry.ok || region === null || !region.executable || region.inode === 0) return null;
  return { entry: address(entry.value), region };
}
