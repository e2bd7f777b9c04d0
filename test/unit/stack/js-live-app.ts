// Blocks its main thread at known places, and reads that thread's JavaScript stack from a worker while
// it is blocked. One JSON line a case on stdout: what was read, and what V8 itself said right before.
// The parent ends each block by writing a byte to stdin. Argument: the compiler that the hot cases are
// to run in. Holds no test; js-live.test.ts runs it.

import * as fs from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { parseMaps } from "../../../agent/kernel/maps";
import type { JsFrame } from "../../../agent/model/stack";
import { address, bytes } from "../../../agent/model/units";
import { openElf } from "../../../agent/stack/elf";
import { readJsStack } from "../../../agent/stack/js-frames";
import { type Memory, openSelfMemory, selfExecutablePath } from "../../../agent/stack/memory";
import { loadV8Metadata } from "../../../agent/stack/v8-metadata";
import { plainFrames, type SaidFrame } from "../../support/v8-words";
import { casesOf, type LiveCase } from "./js-live-cases";

export interface LiveReport {
  readonly name: string;
  readonly hot: boolean;
  readonly way: "read" | "wait";
  /** V8's own words from inside the function that blocks, one frame each. */
  readonly said: readonly SaidFrame[];
  readonly frames: readonly JsFrame[];
  readonly gaps: readonly string[];
}

/** All memory that a reading looked at: goes to a file, for it is more than a pipe takes at once. */
export interface Recording {
  readonly maps: string;
  readonly sp: number;
  readonly stackHigh: number;
  /** Whole pages, as base64, by their address. */
  readonly pages: Readonly<Record<number, string>>;
}

const pageBytes = 4096;

const blocked = 1;
const over = 2;
/** Cells: what main does, length of the text, the cell that Atomics.wait waits on, and below. */
const cells = { state: 0, textBytes: 1, wait: 2, nextState: 3, fd: 4 } as const;
const textAt = 64;

/** A call of V8's own, by its %name, once the process allows them. */
const native = (name: string): ((target: unknown) => void) =>
  new Function("target", `%${name}(target)`) as (target: unknown) => void;

function runMain(): void {
  const shared = new SharedArrayBuffer(65_536);
  const control = new Int32Array(shared, 0, 16);
  const worker = new Worker(__filename, { workerData: { shared, pid: process.pid } });
  const zeros = fs.openSync("/dev/zero", "r");
  const current = { name: "", hot: false, way: "read" };
  const textBuffer = Buffer.from(shared, textAt);
  const byte = Buffer.alloc(1);
  Error.stackTraceLimit = 100;
  Error.prepareStackTrace = (_, sites) => plainFrames(sites);

  /** Always does the same, so that no branch of it is news to optimized code: only what the cells say differs. */
  function block(): number {
    const text = JSON.stringify({ ...current, said: new Error().stack });
    control[cells.textBytes] = textBuffer.write(text);
    Atomics.store(control, cells.state, control[cells.nextState] as number);
    if (current.way === "wait") Atomics.wait(control, cells.wait, control[cells.fd] ? 1 : 0);
    else fs.readSync(control[cells.fd] as number, byte, 0, 1, null);
    Atomics.store(control, cells.state, 0);
    control[cells.nextState] = 0;
    control[cells.fd] = zeros;
    return 0;
  }

  /** The next call of `block` blocks. */
  function arm(name: string, hot = false): void {
    Object.assign(current, { name, hot });
    control[cells.nextState] = blocked;
    control[cells.fd] = 0;
  }

  const optimize = process.argv[2] ? native(process.argv[2]) : null;

  const compilers = {
    discard: optimize === null ? () => undefined : discardWhenArmed(native("DeoptimizeFunction")),
    keepApart: optimize === null ? () => undefined : native("NeverOptimizeFunction"),
  };

  function discardWhenArmed(discard: (target: unknown) => void): (target: unknown) => void {
    return (target) => {
      if (control[cells.nextState] === blocked) discard(target);
    };
  }

  async function heat(
    run: LiveCase["run"],
    hot: readonly unknown[],
    compile: (target: unknown) => void,
  ): Promise<void> {
    for (const one of hot) native("PrepareFunctionForOptimization")(one);
    for (let turn = 0; turn < 20; turn++) await run();
    for (const one of hot) compile(one);
    await run();
  }

  async function runCase(name: string, { run, hot = [] }: LiveCase): Promise<void> {
    const isHot = hot.length > 0 && optimize !== null;
    if (isHot) await heat(run, hot, optimize);
    arm(name, isHot);
    await run();
  }

  async function runCases(): Promise<void> {
    control[cells.fd] = zeros;
    for (const [name, one] of casesOf(block, compilers)) await runCase(name, one);
    current.way = "wait";
    await runCase("atomics", { run: () => block() });
    current.way = "read";
    Object.assign(globalThis, { block, arm });
    await import("./js-live-module.mjs");
  }

  worker.once("message", () => {
    runCases().then(
      () => Atomics.store(control, cells.state, over),
      (error: unknown) => {
        fs.writeSync(2, `${(error as Error).stack}\n`);
        process.exit(1);
      },
    );
  });
}

function runWorker(): void {
  const { shared, pid } = workerData as { shared: SharedArrayBuffer; pid: number };
  const control = new Int32Array(shared, 0, 16);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const examine = examiner(pid);
  parentPort?.postMessage("ready");
  const recordedCase = process.env["JS_LIVE_RECORD"];
  for (;;) {
    const state = Atomics.load(control, cells.state);
    if (state === over) return;
    const read = state === blocked ? examine(recordedCase === nameIn(shared, control)) : null;
    if (read === null) {
      Atomics.wait(idle, 0, 0, 1);
      continue;
    }
    const text = Buffer.from(shared, textAt, control[cells.textBytes]).toString();
    Atomics.store(control, cells.state, 0);
    fs.writeSync(1, `${JSON.stringify({ ...JSON.parse(text), ...read })}\n`);
    if ((JSON.parse(text) as { way: string }).way === "read") continue;
    Atomics.store(control, cells.wait, 1);
    Atomics.notify(control, cells.wait);
  }
}

function nameIn(shared: SharedArrayBuffer, control: Int32Array): string {
  const text = Buffer.from(shared, textAt, control[cells.textBytes]).toString();
  return (JSON.parse(text) as { name: string }).name;
}

/** The same memory, which keeps a copy of every page that was read. */
function recordingMemory(memory: Memory): Memory & { readonly pages: Record<number, string> } {
  const pages: Record<number, string> = {};
  const read: Memory["read"] = (at, length) => {
    for (let page = at - (at % pageBytes); page < at + length; page += pageBytes) {
      if (page in pages) continue;
      const content = memory.read(address(page), bytes(pageBytes));
      if (content.ok) pages[page] = content.value.toString("base64");
    }
    return memory.read(at, length);
  };
  return { ...memory, read, pages };
}

const keep = (recording: Recording): void =>
  fs.writeFileSync(process.env["JS_LIVE_FILE"] ?? "", JSON.stringify(recording));

/** A reading of the main thread's stack; null while that thread is not blocked in read or futex. */
function examiner(pid: number): (isRecorded: boolean) => ReturnType<typeof readJsStack> | null {
  const elf = openElf(selfExecutablePath);
  if (!elf.ok) throw new Error(elf.detail);
  const v8 = loadV8Metadata(elf.value);
  const memory = openSelfMemory();
  if (!v8.ok || !memory.ok) throw new Error("no metadata or no memory");
  let last = "";
  return (isRecorded) => {
    const line = fs.readFileSync(`/proc/self/task/${pid}/syscall`, "utf8").trim();
    // The same call twice: the thread has arrived where it stays.
    const settled = line === last && line !== "running";
    last = line;
    const mapsText = fs.readFileSync("/proc/self/maps", "utf8");
    const maps = parseMaps(mapsText);
    if (!settled || !maps.ok) return null;
    const sp = address(Number(line.split(" ").at(-2)));
    const high = maps.value.find(sp)?.high;
    if (high === undefined) return null;
    const start = { fp: null, sp, stackHigh: high };
    const source = isRecorded ? recordingMemory(memory.value) : memory.value;
    const read = readJsStack({ memory: source, maps: maps.value, v8: v8.value, start });
    if (!read.frames.some((frame) => frame.functionName === "block")) return null;
    if ("pages" in source) keep({ maps: mapsText, sp, stackHigh: high, pages: source.pages });
    return read;
  };
}

if (isMainThread) runMain();
else runWorker();
