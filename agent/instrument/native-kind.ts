// What an export of a native addon is: a function that can be forwarded, a class, or neither. Pure.

import type { AnyFunction } from "./native-forwarder";
import { isWrapped } from "./wrap";

/** ECMA-262 20.2.3.5: only functions without source text, native or bound ones, print like this. */
export function isNative(candidate: unknown): candidate is AnyFunction {
  return (
    typeof candidate === "function" &&
    !isWrapped(candidate) &&
    Function.prototype.toString.call(candidate).endsWith("{ [native code] }")
  );
}

/**
 * napi_create_function and napi_define_class make the same kind of object: any function of Node-API
 * can be called with `new` and has a `prototype`. A class shows by methods, statics or ancestors, and
 * one that has none of these by its capital letter. In doubt true: a class must keep its identity.
 */
export function mayBeClass(candidate: AnyFunction, exportedAs: string): boolean {
  if (/^[A-Z]/.test(exportedAs) || /^[A-Z]/.test(candidate.name)) return true;
  if (Object.getOwnPropertyNames(candidate).some((key) => isStatic(candidate, key))) return true;
  const own = Object.getOwnPropertyDescriptor(candidate, "prototype");
  const prototype: unknown = own?.value;
  if (typeof prototype !== "object" || prototype === null) return false;
  if (Reflect.ownKeys(prototype).some((key) => key !== "constructor")) return true;
  return own?.writable === false || !isRoot(Object.getPrototypeOf(prototype));
}

/** A static method or accessor; data is no sign: node-addon-api keeps some under a symbol, bcrypt's too. */
function isStatic(candidate: AnyFunction, key: string): boolean {
  if (ordinaryKeys.has(key)) return false;
  const property = Object.getOwnPropertyDescriptor(candidate, key);
  return property?.get !== undefined || typeof property?.value === "function";
}

/** What every function has of its own. */
const ordinaryKeys = new Set(["length", "name", "arguments", "caller", "prototype"]);

/** Made by a literal or by napi_create_object: it has no behaviour of its own. */
export function isPlainObject(candidate: unknown): candidate is object {
  return (
    typeof candidate === "object" &&
    candidate !== null &&
    !Array.isArray(candidate) &&
    isRoot(Object.getPrototypeOf(candidate))
  );
}

/** Object.prototype of this realm or of another one, or null. */
const isRoot = (prototype: object | null): boolean =>
  prototype === null || Object.getPrototypeOf(prototype) === null;
