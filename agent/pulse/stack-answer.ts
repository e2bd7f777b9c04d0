// Answers, on the application thread, the watchdog's question for the JavaScript stack. The question
// comes through the inspector at V8's next interrupt check, so this runs in the middle of whatever
// the application does: it must call none of its code and leave nothing changed.

import { answerName, answerWriter, encodeFrame } from "../base/answer-cell";
import { nowMs } from "../base/clock";

/** A stack deeper than this names nothing new at its outer end. */
const framesMax = 64;
const scriptCharsMax = 512;
const nameCharsMax = 128;

/** Questions are numbered from 1. */
const noQuestion = 0;

// Captured before the application can replace them.
const intrinsicError = Error;
const { defineProperty, deleteProperty, getOwnPropertyDescriptor, apply } = Reflect;
const slice = String.prototype.slice;

type CallSiteMethods = Pick<
  NodeJS.CallSite,
  "getFunctionName" | "getMethodName" | "getTypeName" | "getLineNumber" | "getColumnNumber"
> & {
  isAsync(): boolean;
  isToplevel(): boolean;
  isConstructor(): boolean;
  getScriptNameOrSourceURL(): string | null;
};

/** Makes the thread answer through `cell`. Returns a function that ends it. */
export function answerStacks(cell: SharedArrayBuffer): () => void {
  const writer = answerWriter(cell);
  const inspectorUrl = openInspector();
  if (inspectorUrl === null) return () => undefined; // Built without it: the cell stays `absent`.
  const encode = createEncoder();
  const answer = (sequence: number): void => {
    const startedMs = nowMs();
    // Whoever opened it since would see our scripts: this was the last answer.
    if (inspectorUrl() !== undefined) writer.setState("debugged");
    const frames = takeStack(encode);
    if (frames === null) writer.setState("refused");
    writer.write(sequence, startedMs, nowMs, frames ?? "");
  };

  answer(noQuestion); // V8 compiles all of it now, not in the middle of a stall
  defineProperty(globalThis, answerName, { value: answer, configurable: true });
  writer.setState(inspectorUrl() === undefined ? "ready" : "debugged");
  return () => {
    writer.setState("absent");
    deleteProperty(globalThis, answerName);
  };
}

/** `inspector.url`, which tells whether a debugger may be attached; null in a node built without one. */
function openInspector(): (() => string | undefined) | null {
  try {
    return (require("node:inspector") as typeof import("node:inspector")).url;
  } catch {
    return null; // ERR_INSPECTOR_NOT_AVAILABLE, by design of that build
  }
}

/**
 * The stack as text, without its two innermost frames, which are ours; null if it could not be taken
 * without calling the application's code. Node formats a stack by `globalThis.Error.prepareStackTrace`,
 * so that name and what is behind it are ours for a moment and then exactly what they were.
 */
function takeStack(encode: (trace: readonly NodeJS.CallSite[]) => string): string | null {
  let text: string | null = null;
  const prepare = (_error: unknown, trace: readonly NodeJS.CallSite[]): string => {
    text = encode(trace);
    return "";
  };
  const returnError = lend(globalThis, "Error", intrinsicError);
  if (returnError === null) return null;
  const returnPrepare = lend(intrinsicError, "prepareStackTrace", prepare);
  if (returnPrepare !== null) {
    // Where it cannot be raised, the stack is as deep as the application wants its own to be.
    const returnLimit = lend(intrinsicError, "stackTraceLimit", framesMax);
    void new intrinsicError().stack;
    returnLimit?.();
    returnPrepare();
  }
  returnError();
  return text;
}

/** Gives a property another value without calling getters or setters; null if it is frozen. */
function lend(owner: object, key: string, value: unknown): (() => void) | null {
  const before = getOwnPropertyDescriptor(owner, key);
  if (before !== undefined && before.value === value) return () => undefined;
  const isEnumerable = before?.enumerable ?? false;
  const lent = { value, writable: true, configurable: true, enumerable: isEnumerable };
  if (!defineProperty(owner, key, lent)) {
    // Not configurable, but perhaps writable.
    if (!defineProperty(owner, key, { value })) return null;
  }
  if (before === undefined) return () => void deleteProperty(owner, key);
  return () => void defineProperty(owner, key, before);
}

const cut = (text: string, charsMax: number): string => apply(slice, text, [0, charsMax]);
const startsWith = (text: string, start: string): boolean => cut(text, start.length) === start;

/** Our own frames, innermost: this function's caller, the answer, the watchdog's expression. */
const ownFrames = 3;

/** Reads call sites by the methods that V8 gave them, whatever the application does to those later. */
function createEncoder(): (trace: readonly NodeJS.CallSite[]) => string {
  const own = callSiteMethods();
  const ask = <T>(site: NodeJS.CallSite, method: () => T): T => apply(method, site, []);

  // As V8 prints it, but for the types that say nothing: a method follows its receiver's class.
  const typeOf = (site: NodeJS.CallSite): string => {
    const type = ask(site, own.getTypeName);
    return typeof type !== "string" || type === "Object" || type === "Function" ? "" : type;
  };

  // Node makes gzipSync and its like by one factory. Elsewhere a long search for a name nobody needs.
  const aliasOf = (site: NodeJS.CallSite, script: string | null, name: string): string => {
    const alias = startsWith(script ?? "", "node:") ? ask(site, own.getMethodName) : null;
    return typeof alias === "string" && alias !== name ? ` [as ${alias}]` : "";
  };

  const nameOf = (site: NodeJS.CallSite, script: string | null): string | null => {
    const name = ask(site, own.getFunctionName);
    if (typeof name !== "string") return null;
    const isMethod = !ask(site, own.isToplevel) && !ask(site, own.isConstructor);
    if (!isMethod) return cut(name, nameCharsMax);
    const type = typeOf(site);
    const called = type === "" || startsWith(name, type) ? name : `${type}.${name}`;
    return cut(called + aliasOf(site, script, name), nameCharsMax);
  };

  return (trace) => {
    let text = "";
    for (let i = ownFrames; i < trace.length; i++) {
      const site = trace[i] as NodeJS.CallSite;
      // From here on they are not on the stack: they wait for what is.
      if (ask(site, own.isAsync)) break;
      const url = ask(site, own.getScriptNameOrSourceURL);
      const script = typeof url === "string" ? cut(url, scriptCharsMax) : null;
      text += encodeFrame(
        nameOf(site, script),
        script,
        ask(site, own.getLineNumber),
        ask(site, own.getColumnNumber),
      );
    }
    return text;
  };
}

function callSiteMethods(): CallSiteMethods {
  let methods: CallSiteMethods | null = null;
  takeStack((trace) => {
    const prototype = Object.getPrototypeOf(trace[0]) as CallSiteMethods;
    methods = {
      getFunctionName: prototype.getFunctionName,
      getMethodName: prototype.getMethodName,
      getTypeName: prototype.getTypeName,
      getLineNumber: prototype.getLineNumber,
      getColumnNumber: prototype.getColumnNumber,
      getScriptNameOrSourceURL: prototype.getScriptNameOrSourceURL,
      isAsync: prototype.isAsync,
      isToplevel: prototype.isToplevel,
      isConstructor: prototype.isConstructor,
    };
    return "";
  });
  if (methods === null) throw new Error("V8 gave no call site");
  return methods;
}
