// Finds client libraries that no file name tells of, because a bundler has put them in one file with
// everything else: by the methods of their objects, whose names minifiers keep. Application thread.
//
// Every client is an EventEmitter and runs its initialisation before it does anything of its own. That
// costs each emitter of the application some 20 ns, so it ends after the first few thousand.
// https://github.com/nodejs/node/blob/v20.20.0/lib/events.js (EventEmitter.init)

import { EventEmitter } from "node:events";
import { countFault } from "../base/guard";
import { type Restore, replaceFunction } from "./wrap";

/** A library as its objects show it. */
export interface Shape {
  /** Looked for on an object or its prototypes. */
  readonly methods: readonly string[];
  /** Hooks the class that `prototype` is of; `prototype` has all methods, some may be inherited. */
  hook(prototype: object): void;
  /** For an object that was made before its class was hooked. */
  adopt(client: object): void;
}

/** Clients are made at start-up, or with the first requests; a start-up makes some hundred emitters. */
export const emittersMax = 10_000;

/** Returns null where node:events is not as expected. */
export function watchEmitters(shapes: readonly Shape[]): Restore | null {
  const seen = new WeakSet<object>();
  let left = emittersMax;

  function made(emitter: object): void {
    if (--left === 0) restore?.();
    const prototype: unknown = Object.getPrototypeOf(emitter);
    if (typeof prototype !== "object" || prototype === null || seen.has(prototype)) return;
    seen.add(prototype);
    shapeOf(shapes, prototype)?.hook(prototype);
  }

  type Init = (this: object, ...args: unknown[]) => void;
  const restore = replaceFunction<Init>(EventEmitter, "init", (init) => {
    return function (this: object, ...args) {
      init.apply(this, args);
      if (left <= 0) return;
      try {
        made(this);
      } catch (error) {
        countFault("instrument", error);
      }
    };
  });
  return restore;
}

/** Of an object or a prototype; undefined where it has no known one. Getters are not run. */
export const shapeOf = (shapes: readonly Shape[], candidate: object): Shape | undefined =>
  shapes.find(({ methods }) => methods.every((method) => methodOwner(candidate, method) !== null));

/** The object in the chain that has the method as a plain property of its own. */
export function methodOwner(candidate: object, method: string): object | null {
  for (let at: object | null = candidate; at !== null; at = Object.getPrototypeOf(at)) {
    const own = Object.getOwnPropertyDescriptor(at, method);
    if (own !== undefined) return typeof own.value === "function" ? at : null;
  }
  return null;
}
