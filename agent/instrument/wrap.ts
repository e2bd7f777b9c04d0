// The only code of the project that puts a function of ours in the place of somebody else's, or an
// accessor in the place of a property. Application thread. The replacement looks like the original, is never wrapped again (not by a
// second copy of this agent either) and can be taken back.

import { countFault } from "../base/guard";

/** The type that every function has. */
type AnyFunction = (...args: never[]) => unknown;

/** In the global registry, so that another copy of the agent in the same process sees it. */
const wrappedMark = Symbol.for("loophound.wrapped");

/** Puts back what was there; does nothing once somebody else has replaced our function. */
export type Restore = () => void;

export function isWrapped(candidate: unknown): boolean {
  return typeof candidate === "function" && Object.hasOwn(candidate, wrappedMark);
}

/**
 * Replaces the function `owner[key]`, own or inherited, by what `make` returns for it. An inherited
 * one becomes an own property that no listing of `owner` shows. Null, and nothing changed, where
 * there is no function, it is wrapped already, or the property cannot be replaced.
 */
export function replaceFunction<F extends AnyFunction>(
  owner: object,
  key: string,
  make: (original: F) => F,
): Restore | null {
  const own = Object.getOwnPropertyDescriptor(owner, key);
  if (own !== undefined && !("value" in own)) return null;
  const original: unknown = own === undefined ? Reflect.get(owner, key) : own.value;
  if (typeof original !== "function" || isWrapped(original)) return null;
  const replacement = disguise(make(original as F), original);
  const isDefined = Reflect.defineProperty(owner, key, {
    value: replacement,
    writable: own?.writable ?? true,
    enumerable: own?.enumerable ?? false,
    configurable: own?.configurable ?? true,
  });
  if (!isDefined) return null;
  return () => {
    if (Object.getOwnPropertyDescriptor(owner, key)?.value !== replacement) return;
    if (own === undefined) Reflect.deleteProperty(owner, key);
    else Reflect.defineProperty(owner, key, own);
  };
}

/**
 * Tells of each time that somebody reads `owner[key]`, own or inherited, which is how a method is
 * fetched before it is called: `onRead` has returned by then, so no stack trace shows it. It gets
 * the object that was asked; a throw of it is counted. Null, and nothing changed, where there is no
 * function, the property is an accessor already (ours or not) or cannot be replaced. About 2 ns.
 */
export function watchReads<Self extends object>(
  owner: Self,
  key: string,
  onRead: (self: Self) => void,
): Restore | null {
  const own = Object.getOwnPropertyDescriptor(owner, key);
  if (own !== undefined && (!("value" in own) || own.writable !== true)) return null;
  const ancestor = Object.getPrototypeOf(owner) as Readonly<Record<string, unknown>> | null;
  const value: unknown = own === undefined ? ancestor?.[key] : own.value;
  if (typeof value !== "function") return null;
  const tell = (self: Self): void => {
    try {
      onRead(self);
    } catch (error) {
      countFault("instrument", error);
    }
  };
  // Two functions: V8 finds a property by a name that is not constant only slowly, and the first needs none.
  const getOwn = function (this: Self): unknown {
    tell(this);
    return value;
  };
  const getInherited = function (this: Self): unknown {
    tell(this);
    return ancestor?.[key];
  };
  const get = own === undefined ? getInherited : getOwn;
  const listed = own?.enumerable ?? false;
  const isDefined = Reflect.defineProperty(owner, key, {
    get,
    /** What an assignment to a plain property does. */
    set(this: object, value: unknown) {
      const enumerable = this === owner ? listed : true;
      Reflect.defineProperty(this, key, { value, writable: true, enumerable, configurable: true });
    },
    enumerable: listed,
    configurable: true,
  });
  if (!isDefined) return null;
  return () => {
    if (Object.getOwnPropertyDescriptor(owner, key)?.get !== get) return;
    if (own === undefined) Reflect.deleteProperty(owner, key);
    else Reflect.defineProperty(owner, key, own);
  };
}

/**
 * Puts `replacement` in the place of the function `owner[key]`, and returns that. For objects that a
 * library makes for each command and shows to nobody: one replacement serves them all, undisguised,
 * at a tenth of the price.
 */
export function swapFunction<Key extends string, F extends AnyFunction>(
  owner: { [key in Key]: F },
  key: Key,
  replacement: F,
): F {
  const original = owner[key];
  owner[key] = replacement;
  return original;
}

/** Name, length and whatever else the original carries; a class keeps its own `prototype`. */
function disguise(replacement: AnyFunction, original: object): AnyFunction {
  for (const key of Reflect.ownKeys(original)) {
    if (key === "prototype" || key === "arguments" || key === "caller") continue;
    const property = Object.getOwnPropertyDescriptor(original, key);
    if (property !== undefined) Reflect.defineProperty(replacement, key, property);
  }
  Object.defineProperty(replacement, wrappedMark, { value: true });
  return replacement;
}
