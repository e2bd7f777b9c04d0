// Puts a forwarder in the place of each function that a freshly loaded addon exports. Application
// thread. Classes keep their identity: only their static functions and methods are replaced, in place.

import type { ForwardedCall } from "../model/evidence";
import { type AnyFunction, type ForwarderOptions, makeForwarder } from "./native-forwarder";
import { isNative, isPlainObject, mayBeClass } from "./native-kind";
import { replaceFunction } from "./wrap";

/** exports.codec.utf8.encode; no addon is known that nests deeper. */
const depthMax = 3;

/** How many functions were met, by what became of them. */
export interface ForwarderCounts {
  forwarded: number;
  /** Neither writable nor configurable, where no copy can take their place. */
  locked: number;
  /** No number was left for them. */
  unnumbered: number;
  /** Classes, and what may be one. */
  constructors: number;
}

export interface Forwarding {
  readonly cells: Int32Array;
  readonly counts: ForwarderCounts;
  /** By original: a function that is exported twice has one forwarder. */
  readonly forwarders: WeakMap<object, AnyFunction>;
  /** null: no number is left. */
  idOf(call: ForwardedCall): number | null;
}

/** `module` as it is given to process.dlopen, after that; `moduleName` is the addon's base name. */
export function forwardExports(
  forwarding: Forwarding,
  module: { exports: unknown },
  moduleName: string,
): void {
  const { exports } = module;
  const walk: Walk = { forwarding, moduleName, seen: new Set(), copy: undefined };
  if (isNative(exports)) {
    const name = exports.name === "" ? "exports" : exports.name;
    forwardMember(walk, { owner: module, key: "exports", name, depth: 0 });
  } else if (isPlainObject(exports)) {
    if (needsCopy(exports)) module.exports = forwardedCopy(walk, exports);
    else forwardMembers(walk, exports, "", 0);
  }
}

interface Walk {
  readonly forwarding: Forwarding;
  readonly moduleName: string;
  readonly seen: Set<object>;
  readonly copy: ForwarderOptions["copy"];
}

interface Member {
  readonly owner: object;
  readonly key: string;
  /** As it is shown: `Database.exec`. */
  readonly name: string;
  readonly depth: number;
}

function forwardMembers(walk: Walk, owner: object, prefix: string, depth: number): void {
  if (walk.seen.has(owner) || depth > depthMax) return;
  walk.seen.add(owner);
  for (const key of Object.getOwnPropertyNames(owner)) {
    if (key === "constructor" || key === "prototype") continue;
    forwardMember(walk, { owner, key, name: `${prefix}${key}`, depth });
  }
}

function forwardMember(walk: Walk, member: Member): void {
  const { owner, key, name, depth } = member;
  const value: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
  if (isPlainObject(value)) forwardMembers(walk, value, `${name}.`, depth + 1);
  else if (isNative(value) && mayBeClass(value, key)) forwardClass(walk, value, name, depth);
  else if (isNative(value)) forwardFunction(walk, member);
}

function forwardClass(walk: Walk, value: AnyFunction, name: string, depth: number): void {
  if (!walk.seen.has(value)) walk.forwarding.counts.constructors++;
  forwardMembers(walk, value, `${name}.`, depth + 1);
  const prototype: unknown = value.prototype;
  if (typeof prototype === "object" && prototype !== null)
    forwardMembers(walk, prototype, `${name}.`, depth + 1);
}

function forwardFunction(walk: Walk, { owner, key, name }: Member): void {
  const { counts } = walk.forwarding;
  const property = Object.getOwnPropertyDescriptor(owner, key);
  if (property === undefined || isLocked(property)) {
    counts.locked++;
    return;
  }
  const forwarder = forwarderOf(walk, property.value, name);
  if (forwarder === null) counts.unnumbered++;
  else if (replaceFunction<AnyFunction>(owner, key, () => forwarder) === null) counts.locked++;
  else counts.forwarded++;
}

/** null: no number is left. */
function forwarderOf(walk: Walk, original: AnyFunction, name: string): AnyFunction | null {
  const { cells, forwarders, idOf } = walk.forwarding;
  const known = forwarders.get(original);
  if (known !== undefined) return known;
  const id = idOf({ module: walk.moduleName, function: name });
  if (id === null) return null;
  const forwarder = makeForwarder(original, { id, cells, copy: walk.copy });
  forwarders.set(original, forwarder);
  return forwarder;
}

const isLocked = (property: PropertyDescriptor): boolean =>
  !property.configurable && property.writable !== true;

/**
 * Addons in C often define what they export with napi_default, which locks it, and some freeze their
 * exports. Accessors would see the copy as their `this`: then the exports stay as they are.
 */
function needsCopy(exports: object): boolean {
  const properties = Object.entries(Object.getOwnPropertyDescriptors(exports));
  return (
    properties.every(([, property]) => "value" in property) &&
    properties.some(
      ([key, property]) =>
        isLocked(property) && isNative(property.value) && !mayBeClass(property.value, key),
    )
  );
}

/** The exports once more, as locked as they are; nobody but the addon has seen the original yet. */
function forwardedCopy(walk: Walk, exports: object): object {
  const properties = Object.getOwnPropertyDescriptors(exports) as PropertyDescriptorMap;
  const copy = Object.create(Object.getPrototypeOf(exports)) as object;
  for (const key of Reflect.ownKeys(properties)) {
    Object.defineProperty(copy, key, { ...properties[key as string], configurable: true });
  }
  forwardMembers({ ...walk, copy: { standIn: copy, original: exports } }, copy, "", 0);
  for (const key of Reflect.ownKeys(properties)) {
    const { writable, configurable } = properties[key as string] as PropertyDescriptor;
    Object.defineProperty(copy, key, { writable, configurable } as PropertyDescriptor);
  }
  return Object.isExtensible(exports) ? copy : Object.preventExtensions(copy);
}
