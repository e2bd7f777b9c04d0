// Names Node's own functions, and those of the language, as people write them: `fs.readFileSync` in
// `node:fs`, whatever internal file it is in; `JSON.parse`. Pure.

import type { JsFrame } from "../model/stack";

export interface Named {
  readonly module: string | null;
  readonly symbol: string | null;
}

/** Internal files whose public module has another name. The rest are named after theirs. */
const publicNames: Readonly<Record<string, string>> = {
  modules: "module",
  perf: "perf_hooks",
  streams: "stream",
  worker: "worker_threads",
  webstreams: "stream/web",
  blob: "buffer",
};

const publicModules = new Set(
  (
    "assert async_hooks buffer child_process cluster crypto dgram diagnostics_channel dns events fs http http2 " +
    "https inspector module net os path perf_hooks process querystring readline sqlite stream stream/web " +
    "string_decoder timers tls url util v8 vm wasi worker_threads zlib"
  ).split(" "),
);

/** Modules whose functions do their work at once, in native code or in system calls. */
const workingModules = new Set(["fs", "child_process", "crypto", "zlib", "sqlite", "v8"]);

/** A wrapper by which Node makes several functions, known by the name that each was called by. */
const wrapperName = /^syncBufferWrapper$/;
const aliasOf = /^(.*) \[as (.*)\]$/;

/** `fs` for `node:fs` and `node:internal/fs/utils`; null for what no public module stands for. */
function publicModule(script: string): string | null {
  const path = script.replace(/^node:/, "");
  if (!path.startsWith("internal/")) return publicModules.has(path) ? path : null;
  const [name = ""] = path.slice("internal/".length).split("/");
  const module = publicNames[name] ?? name;
  return publicModules.has(module) ? module : null;
}

/**
 * The public function behind frames of Node's own JavaScript, innermost first: the outermost that a
 * public module stands for. `aliases`: frames in which V8 told by which name a wrapper was called.
 */
export function publicApi(frames: readonly JsFrame[], aliases: readonly JsFrame[]): Named | null {
  for (const frame of frames.toReversed()) {
    const { script, functionName } = frame;
    if (script === null) continue;
    if (functionName === "structuredClone") return { module: null, symbol: functionName };
    const module = publicModule(script);
    if (module === null || functionName === null) continue;
    const name = calledAs(frame, functionName, aliases);
    return { module: `node:${module}`, symbol: name === null ? null : qualified(module, name) };
  }
  return null;
}

/**
 * A function of Node's C++ that a script calls by itself: `node::sqlite::StatementSync::Get(...)` is
 * `sqlite.StatementSync.get` of node:sqlite. Where no public module has its namespace, its own name alone.
 */
export function nativeApi(symbol: string): Named {
  const [path = ""] = symbol.split(/[(<]/);
  const parts = path.split("::").filter((part) => part !== "node");
  const last = parts.at(-1) ?? "";
  const name = last.charAt(0).toLowerCase() + last.slice(1);
  const [module = "", owner] = parts;
  const isMethod = parts.length === 3 && publicModules.has(module);
  return isMethod
    ? { module: `node:${module}`, symbol: `${module}.${owner}.${name}` }
    : { module: null, symbol: name };
}

/** A class of node:buffer is known without its module. */
const qualified = (module: string, name: string): string =>
  module === "buffer" ? name : `${module}.${name}`;

function calledAs(frame: JsFrame, name: string, aliases: readonly JsFrame[]): string | null {
  const own = aliasOf.exec(name);
  if (own !== null) return own[2] ?? null;
  if (!wrapperName.test(name)) return name;
  for (const { functionName, script, line } of aliases) {
    const alias = aliasOf.exec(functionName ?? "");
    if (alias?.[1] === name && script === frame.script && line === frame.line) {
      return alias[2] ?? null;
    }
  }
  return null;
}

/** Whether a function of Node is one that works synchronously, rather than JavaScript that happens to be Node's. */
export function isSynchronous({ module, symbol }: Named): boolean {
  return workingModules.has(module?.slice("node:".length) ?? "") || /Sync$/.test(symbol ?? "");
}

/** Static functions of the language that can take long; V8's frames show them without their object. */
const languageFunctions: Readonly<Record<string, string>> = {
  parse: "JSON.parse",
  stringify: "JSON.stringify",
  from: "Array.from",
  wait: "Atomics.wait",
  assign: "Object.assign",
  entries: "Object.entries",
  fromEntries: "Object.fromEntries",
  keys: "Object.keys",
  values: "Object.values",
};

/** Name of a function that the language has, as in a stack trace: it is in no script. */
export const languageFunction = (name: string): string => languageFunctions[name] ?? name;
