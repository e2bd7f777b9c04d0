// Names functions as V8's stack traces do: the function's own name, else the one inferred from where
// it was assigned, and the class of the receiver before it where that can be read for certain.
// Watchdog thread.
// Rules: src/objects/shared-function-info.cc DebugName, src/objects/call-site-info.cc GetTypeName and
// AppendMethodCall, src/objects/js-objects.cc GetConstructorName; layout: src/objects/scope-info.tq.

import type { Tagged, V8Heap } from "./v8-heap";
import { ownName } from "./v8-own-name";
import { isString, readString, slotValue } from "./v8-strings";

/** ScopeFlags: bits at fixed places in all versions listed. */
const scopeTypeMask = 0xf;
const savedClassVariableBit = 10;
const functionVariableShift = 12;
const inferredNameBit = 14;
/** kScopeInfoMaxInlinedLocalNamesSize: more names are one hash table instead. src/common/globals.h */
const inlinedNamesMax = 75;
const contextLocalsMax = 65_536;
/** Map::Bits2::NewTargetIsBaseBit and Map::Bits3::IsPrototypeMapBit; src/objects/map.tq. */
const newTargetIsBase = 1;
const isPrototypeMap = 1 << 20;
/** FunctionKind in SharedFunctionInfoFlags: the four class constructors; src/objects/function-kind.h. */
const functionKindMask = 0x1f;
const classKinds: readonly number[] = [3, 4, 5, 6];
/** Maps of one object lead back over its transitions to the constructor. */
const backPointersMax = 1024;
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;
/** SharedFunctionInfoFlags is_native: builtins that a stack trace shows. */
const nativeBit = 1 << 5;

/** The name of the function, without receiver; null for an anonymous one. */
export function functionName(heap: V8Heap, shared: Tagged): string | null {
  const names = readNames(heap, shared);
  return names.own || names.inferred || null;
}

/**
 * The same where only the SharedFunctionInfo is at hand, as for inlined functions. A name inferred from
 * an object literal's variable may be that of a computed key's function, whose own name V8 would print.
 */
export function certainName(heap: V8Heap, shared: Tagged): string | null {
  const { own, inferred } = readNames(heap, shared);
  return own || (inferred.includes(".") ? inferred : null);
}

/** The name as a method of `receiver`: `Foo.bar`, or just `bar` where no class precedes it. */
export function methodName(
  heap: V8Heap,
  fn: { readonly object: Tagged; readonly shared: Tagged },
  receiver: Tagged | null,
): string | null {
  const name = ownName(heap, fn.object) || functionName(heap, fn.shared);
  // V8 qualifies identifiers only: not `get x`, `#x`, or the inferred `a.b`.
  if (name === null || receiver === null || !identifier.test(name)) return name;
  const type = receiverType(heap, receiver);
  return type === null || name.startsWith(type) ? name : `${type}.${name}`;
}

/** Whether V8 shows this builtin in a stack trace. */
export function isNativeFunction(heap: V8Heap, shared: Tagged): boolean {
  const flags = heap.uint32(shared, heap.v8.fields.sharedFlags);
  return flags !== null && (flags & nativeBit) !== 0;
}

/** The JSFunction's SharedFunctionInfo; null when `object` is no function. */
export function sharedOf(heap: V8Heap, object: Tagged | null): Tagged | null {
  if (object === null) return null;
  const type = heap.typeOf(object);
  const { types, fields } = heap.v8;
  if (type === null || type < types.firstJsFunction || type > types.lastJsFunction) return null;
  const shared = heap.pointer(object, fields.functionShared);
  return heap.isType(shared, types.sharedFunctionInfo) ? shared : null;
}

function readNames(heap: V8Heap, shared: Tagged): { own: string; inferred: string } {
  const nothing = { own: "", inferred: "" };
  const nameOrScope = heap.pointer(shared, heap.v8.fields.sharedNameOrScope);
  if (nameOrScope === null) return nothing;
  if (isString(heap, nameOrScope)) return { ...nothing, own: readString(heap, nameOrScope) ?? "" };
  return heap.isType(nameOrScope, heap.v8.types.scopeInfo)
    ? scopeNames(heap, nameOrScope)
    : nothing;
}

/** Slots: flags, parameters, locals, [positions], [modules], names, infos, [class], [name, index], [inferred]. */
function scopeNames(heap: V8Heap, scope: Tagged): { own: string; inferred: string } {
  const { layout, scopeFirstVariable } = heap.v8;
  const flags = layout.scopeFlagsAreSmi ? heap.smi(scope, 8) : heap.uint32(scope, 8);
  const locals = heap.smi(scope, 8 + 8 * 2);
  if (flags === null || locals === null || locals < 0 || locals > contextLocalsMax) {
    return { own: "", inferred: "" };
  }
  // v8dbg_scopeinfo_idx_first_vars counts position_info where it comes first.
  let slot = scopeFirstVariable;
  if ((flags & scopeTypeMask) === layout.scopeTypeModule) slot++;
  slot += locals < inlinedNamesMax ? 2 * locals : 1 + locals;
  if ((flags & (1 << savedClassVariableBit)) !== 0) slot++;
  const names = { own: "", inferred: "" };
  if (((flags >>> functionVariableShift) & 3) !== 0) {
    names.own = stringAt(heap, scope, slot);
    slot += 2;
  }
  if ((flags & (1 << inferredNameBit)) !== 0) names.inferred = stringAt(heap, scope, slot);
  return names;
}

function stringAt(heap: V8Heap, scope: Tagged, slot: number): string {
  const value = slotValue(heap, scope, 8 + 8 * slot);
  return value === null || value === "smi" ? "" : (readString(heap, value) ?? "");
}

/**
 * The class V8 would print before a method; null for none, and for receivers whose class can only be
 * had by property lookup (instances of derived classes, prototypes): then the method's name stands alone.
 */
function receiverType(heap: V8Heap, receiver: Tagged): string | null {
  if (isString(heap, receiver)) return "String";
  const ofFunction = sharedOf(heap, receiver);
  if (ofFunction !== null) return functionType(heap, ofFunction);
  const maker = makerOf(heap, receiver);
  const shared = sharedOf(heap, maker);
  if (shared === null) return null;
  const name = readNames(heap, shared).own;
  // For a plain object V8 goes on to look up @@toStringTag and `constructor`: JSON, Math, namespaces.
  return name === "" || name === "Object" ? null : name;
}

/** The function that made the object's first map; null when another than it may have been `new`ed. */
function makerOf(heap: V8Heap, receiver: Tagged): Tagged | null {
  const { fields, types } = heap.v8;
  const map = heap.pointer(receiver, 0);
  if (map === null) return null;
  const bits2 = heap.bytes(map, fields.mapBitField2, 1);
  const bits3 = heap.uint32(map, fields.mapBitField3);
  if (bits2 === null || bits3 === null) return null;
  if ((bits2.readUInt8(0) & newTargetIsBase) === 0 || (bits3 & isPrototypeMap) !== 0) return null;
  let maker = heap.pointer(map, fields.mapConstructor);
  for (let steps = 0; steps < backPointersMax && heap.isType(maker, types.map); steps++) {
    maker = heap.pointer(maker, fields.mapConstructor);
  }
  return maker;
}

/** A class's own name before its static methods; other functions are of type Function. */
function functionType(heap: V8Heap, shared: Tagged): string | null {
  const flags = heap.uint32(shared, heap.v8.fields.sharedFlags);
  if (flags === null) return null;
  const isClass = classKinds.includes(flags & functionKindMask);
  return isClass ? functionName(heap, shared) : null;
}
