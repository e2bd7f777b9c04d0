// What a reading of a blocked thread's stack gives: native frames and JavaScript frames, innermost
// first, each saying how far it can be trusted.

import type { Address } from "./units";

/**
 * How a native frame's return address was found.
 * - `register`: the program counter itself, from /proc.
 * - `unwound`: by call frame information, each step proven.
 * - `frame-pointer`: by a saved frame pointer.
 * - `called`: no return address, but the function that JavaScript called, by V8's own record of it.
 * - `guess`: by scanning the stack for a word that follows a call instruction; may be stale.
 */
export type FrameTrust = "register" | "unwound" | "frame-pointer" | "called" | "guess";

export interface NativeFrame {
  readonly address: Address;
  /** Full path of the mapped file; null for anonymous memory such as JIT code. */
  readonly module: string | null;
  /** Offset of `address` from the module's load bias, as symbol tables count it; null without a module. */
  readonly moduleOffset: number | null;
  /** Demangled name from .symtab or .dynsym; null where neither covers the address. */
  readonly symbol: string | null;
  readonly trust: FrameTrust;
}

/** A JavaScript frame that was live when the thread blocked. */
export interface JsFrame {
  /** Name as V8 would print it in a stack trace; null for an anonymous function. */
  readonly functionName: string | null;
  /** Script name: a path, a file: URL, `node:...`, or an eval's origin; null where V8 has none. */
  readonly script: string | null;
  /** 1-based; null where the position could not be read (then it is not guessed). */
  readonly line: number | null;
  /** 1-based; null as `line`. */
  readonly column: number | null;
  /** Where that is in the source that the script was made from; absent without a source map. */
  readonly source?: { readonly file: string; readonly line: number; readonly column: number };
  readonly tier: "interpreted" | "baseline" | "maglev" | "turbofan" | "builtin" | "unknown";
}

/**
 * How JavaScript was left, for a thread on CPU: to a function of an addon or of Node (`api`), to one that
 * the language has (`builtin`), or to V8's own runtime on behalf of the script (`runtime`).
 */
export type JsExit = "api" | "builtin" | "runtime";

export interface ThreadStack {
  /** Only of a thread on CPU; absent where it could not be told. */
  readonly exit?: JsExit;
  /** Innermost first. */
  readonly native: readonly NativeFrame[];
  /** Innermost first. */
  readonly js: readonly JsFrame[];
  /** What could not be read and why, one sentence each; empty when all is complete. */
  readonly gaps: readonly string[];
}
