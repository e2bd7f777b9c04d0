// Reads a stack: which frames are an addon's, which are Node's own API, which line is the
// application's. Pure.

import { forwarderScript } from "../base/marker-cell";
import type { Site } from "../model/incident";
import type { JsFrame, NativeFrame, ThreadStack } from "../model/stack";

/** Libraries that block on behalf of whoever called them: never a culprit by themselves. */
const systemLibrary =
  /^(libc|libpthread|libm|libdl|librt|libresolv|libgcc_s|libstdc\+\+|libc\+\+|libc\+\+abi|ld-linux-.*|ld-musl-.*|libanl|libnss_.*)[.-]/;

/** What a distribution's build of node is made of, besides its executable. */
const nodeLibrary =
  /^lib(node|uv|v8|cares|nghttp[23]|ngtcp2|crypto|ssl|z|brotli\w*|icu\w*|simdjson|simdutf|ada|llhttp|sqlite3|zstd)[.-]/;

export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

type Owner = "node" | "system" | "addon" | "library" | "code";

export function ownerOf(frame: NativeFrame, executable: string): Owner {
  if (frame.module === null) return "code";
  if (frame.module === executable) return "node";
  const name = baseName(frame.module);
  if (name.endsWith(".node")) return "addon";
  if (systemLibrary.test(name) || name.startsWith("[")) return "system";
  return nodeLibrary.test(name) ? "node" : "library";
}

export interface NativeCulprit {
  /** Base name of the addon that JavaScript called. */
  readonly module: string;
  /** Innermost named function outside libc: in the addon, or in a library that it uses. */
  readonly symbol: string | null;
  /** True if any frame that this rests on was found by scanning, not by unwinding. */
  readonly isGuess: boolean;
}

/** The addon (or foreign library, for FFI without one) on the stack; null if there is none. */
export function nativeCulprit(stack: ThreadStack, executable: string): NativeCulprit | null {
  const owned = stack.native.map((frame) => ({ frame, owner: ownerOf(frame, executable) }));
  const foreign = owned.filter(({ owner }) => owner === "addon" || owner === "library");
  const addon = foreign.findLast(({ owner }) => owner === "addon") ?? foreign.at(-1);
  if (addon?.frame.module == null) return null;
  const named = foreign.find(({ frame }) => frame.symbol !== null);
  return {
    module: baseName(addon.frame.module),
    symbol: named?.frame.symbol ?? null,
    isGuess: addon.frame.trust === "guess" || named?.frame.trust === "guess",
  };
}

/** Our forwarders stand on the stack between an addon and its caller; nobody asked for them. */
export const isOwn = (frame: JsFrame): boolean => frame.script === forwarderScript;

export const isCore = (frame: JsFrame): boolean => frame.script?.startsWith("node:") === true;

/** The application's line: the first frame outside Node and node_modules, else outside Node. */
export function siteOf(frames: readonly JsFrame[]): Site | null {
  const outside = frames.filter(
    (frame) => frame.script !== null && !isCore(frame) && !isOwn(frame),
  );
  const own = outside.find((frame) => !isPackaged(frame)) ?? outside[0];
  if (own?.script == null) return null;
  const script = own.script.startsWith("file://") ? pathOfUrl(own.script) : own.script;
  const generated = { file: script, line: own.line, column: own.column };
  return own.source === undefined
    ? { function: own.functionName, ...generated }
    : { function: own.functionName, ...own.source, generated };
}

const sourceFile = (frame: JsFrame): string | null => frame.source?.file ?? frame.script;

const isPackaged = (frame: JsFrame): boolean =>
  sourceFile(frame)?.includes("/node_modules/") === true;

/** The npm package that a script belongs to; null for the application's own. */
export function packageOf(frame: JsFrame): string | null {
  const match = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(sourceFile(frame) ?? "");
  return match?.[1] ?? null;
}

function pathOfUrl(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return url; // not a URL after all: shown as it stands
  }
}

/** Frames of Node's own JavaScript between the block and the application, innermost first. */
export function coreFrames(frames: readonly JsFrame[]): readonly JsFrame[] {
  const js = frames.filter((frame) => !isOwn(frame));
  const end = js.findIndex((frame) => frame.script !== null && !isCore(frame));
  return (end < 0 ? js : js.slice(0, end)).filter(isCore);
}

/** The scripted frames between the block and the module loader that ran into it, and all outside that. */
export interface Loading {
  readonly isImport: boolean;
  readonly outside: readonly JsFrame[];
}

/**
 * A module that is being loaded by code of the application, or whose code is being compiled; null where
 * the loader is only how the program was started.
 */
export function loadingOf(frames: readonly JsFrame[]): Loading | null {
  // Of modules that load modules, the outermost: the application's line is the one that began it.
  const at = frames.findLastIndex(
    (frame, index) => isLoader(frame) && frames.slice(index).some(isScripted),
  );
  const innermost = frames.findIndex(isLoader);
  if (innermost < 0) return null;
  const isInLoader = !frames.slice(0, innermost).some(isScripted);
  if (at < 0 && !isInLoader) return null;
  const outside = frames.slice(at < 0 ? innermost : at);
  return { isImport: !outside.some((frame) => isLoader(frame) && !isEsm(frame)), outside };
}

/** In a script of the application or of a package. */
export const isScripted = (frame: JsFrame): boolean =>
  frame.script !== null && !isCore(frame) && !isOwn(frame);

const isLoader = (frame: JsFrame): boolean =>
  frame.script?.startsWith("node:internal/modules/") === true;
const isEsm = (frame: JsFrame): boolean => frame.script?.includes("/esm/") === true;

/** Collections run on the stack of whatever allocated. */
export const isCollecting = (stack: ThreadStack): boolean =>
  stack.native.some((frame) =>
    /^v8::internal::(Heap|MarkCompact|Scavenger)/.test(frame.symbol ?? ""),
  );

export const isAtomicsWait = (stack: ThreadStack): boolean =>
  stack.native.some((frame) => /FutexEmulation|AtomicsWait/.test(frame.symbol ?? ""));

export function nativeLine(frame: NativeFrame): string {
  const where = frame.module === null ? "[code]" : baseName(frame.module);
  const offset = frame.moduleOffset ?? frame.address;
  const name = frame.symbol ?? `0x${offset.toString(16)}`;
  return `${frame.trust === "guess" ? "? " : ""}${name} (${where})`;
}

export function jsLine(frame: JsFrame): string {
  const { line, column } = frame.source ?? frame;
  const position = line === null ? "" : `:${line}${column === null ? "" : `:${column}`}`;
  return `${frame.functionName ?? "(anonymous)"} (${sourceFile(frame) ?? "unknown"}${position})`;
}
