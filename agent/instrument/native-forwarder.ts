// Makes the function that stands in the place of a native one: it stores the id of that function in
// the marker cell around each call. Application thread, on the hot path of somebody else's program.

import { Script } from "node:vm";
import { forwarderScript } from "../base/marker-cell";

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

export interface ForwarderOptions {
  readonly id: number;
  /** See base/marker-cell. */
  readonly cells: Int32Array;
  /** Set where the application was given a copy of an addon's exports: native code knows only the original. */
  readonly copy?: { readonly standIn: object; readonly original: object } | undefined;
}

/** Behaves as `original` in calls and with `new`; name and own properties are the caller's to copy. */
export function makeForwarder(original: AnyFunction, options: ForwarderOptions): AnyFunction {
  const { id, cells, copy } = options;
  const { createForwarder, createExchange } = newFactories();
  const target =
    copy === undefined ? original : createExchange(original, Reflect, copy.standIn, copy.original);
  const forwarder = createForwarder(target, Reflect, id, cells);
  const ancestor = Object.getPrototypeOf(original);
  if (Object.getPrototypeOf(forwarder) !== ancestor) Object.setPrototypeOf(forwarder, ancestor);
  sharePrototype(original, forwarder);
  return forwarder;
}

/**
 * Every forwarder gets factories of its own by running their script once more: V8 keeps what it
 * learns of calls per closure of a factory, and to forwarders that share it the target of their call
 * is unpredictable (10 to 15 ns a call more). Compiling a script is no code generation from strings
 * to V8, so it works under --disallow-code-generation-from-strings too.
 */
function newFactories() {
  script ??= new Script(
    `"use strict"; ({ createForwarder: ${createForwarder}, createExchange: ${createExchange} })`,
    { filename: forwarderScript },
  );
  return script.runInThisContext() as {
    readonly createForwarder: typeof createForwarder;
    readonly createExchange: typeof createExchange;
  };
}

let script: Script | null = null;

/** What a factory may use besides its arguments: nothing of this file exists where it runs. */
type Means = Pick<typeof Reflect, "apply" | "construct">;

/**
 * No more than 3 ns a call once V8 has inlined it. Calls of up to four arguments are spelled out,
 * which spares the array; `arguments`, or parameters that a call leaves out, cost 4 ns instead.
 */
function createForwarder(target: AnyFunction, means: Means, id: number, cells: Int32Array) {
  const { apply, construct } = means;
  return function forwarder(this: unknown, ...args: unknown[]): unknown {
    // A native function may call back JavaScript that calls another one: that one's id is put back.
    const outer = cells[0] as number;
    cells[0] = id;
    try {
      if (new.target !== undefined) return construct(target, args, new.target);
      switch (args.length) {
        case 0:
          return apply(target, this, []);
        case 1:
          return apply(target, this, [args[0]]);
        case 2:
          return apply(target, this, [args[0], args[1]]);
        case 3:
          return apply(target, this, [args[0], args[1], args[2]]);
        case 4:
          return apply(target, this, [args[0], args[1], args[2], args[3]]);
        default:
          return apply(target, this, args);
      }
    } finally {
      cells[0] = outer;
    }
  };
}

/** Stands before a function of copied exports: as `this` and as a result, the two take turns. */
function createExchange(target: AnyFunction, means: Means, standIn: object, original: object) {
  const { apply, construct } = means;
  return function exchange(this: unknown, ...args: unknown[]): unknown {
    if (new.target !== undefined) return construct(target, args, new.target);
    const result = apply(target, this === standIn ? original : this, args);
    return result === original ? standIn : result;
  };
}

/**
 * The same `prototype` object, so that what native code made is an instance of both. A function that
 * has none gets an undefined one: a forwarder's own cannot be deleted.
 */
function sharePrototype(original: AnyFunction, forwarder: AnyFunction): void {
  const own = Object.getOwnPropertyDescriptor(original, "prototype");
  Object.defineProperty(forwarder, "prototype", own ?? { value: undefined });
  const prototype: unknown = own?.value;
  if (typeof prototype !== "object" || prototype === null) return;
  if (Object.getOwnPropertyDescriptor(prototype, "constructor")?.value !== original) return;
  Reflect.defineProperty(prototype, "constructor", { value: forwarder });
}
