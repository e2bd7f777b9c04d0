// Blocks its main thread at known places, and reads that thread's JavaScript stack from a worker while
// it is blocked. One JSON line a case on stdout: what was read, and what V8 itself said right before.
// The parent ends each block by writing a byte to stdin. Holds no test; js-live.test.ts runs it.

import * as fs from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { parseMaps } from "../../../agent/kernel/maps";
import type { JsFrame } from "../../../agent/model/stack";
import { address } from "../../../agent/model/units";
import { openElf } from "../../../agent/stack/elf";
import { readJsStack } from "../../../agent/stack/js-frames";
import { openSelfMemory, selfExecutablePath } from "../../../agent/stack/memory";
import { loadV8Metadata } from "../../../agent/stack/v8-metadata";

export interface LiveReport {
  readonly how: string;
  /** Error().stack of the line that blocks. */
  readonly said: string;
  readonly frames: readonly JsFrame[];
  readonly gaps: readonly string[];
}

const blocked = 1;
const over = 2;
/** Cells: what main does, length of the text, and the one that Atomics.wait waits on. */
const cells = { state: 0, textBytes: 1, wait: 2 } as const;
const textAt = 16;

type How = "read" | "wait";

function runMain(): void {
  const shared = new SharedArrayBuffer(65_536);
  const control = new Int32Array(shared, 0, 4);
  const worker = new Worker(__filename, { workerData: { shared, pid: process.pid } });
  let how: How = "read";
  let failures = 0;
  Error.stackTraceLimit = 100;

  function block(error: Error): void {
    const text = JSON.stringify({ how, said: error.stack });
    control[cells.textBytes] = Buffer.from(shared, textAt).write(text);
    Atomics.store(control, cells.wait, 0);
    Atomics.store(control, cells.state, blocked);
    if (how === "read") fs.readSync(0, Buffer.alloc(1), 0, 1, null);
    else Atomics.wait(control, cells.wait, 0);
  }

  function plain(): void {
    block(new Error("plain"));
  }
  class Till {
    readonly open: boolean = true;
    ring(): number {
      block(new Error("method"));
      return 1;
    }
    static count(): void {
      block(new Error("static"));
    }
  }
  function inCallback(): number[] {
    return [1, 2].map((value) => {
      if (value === 2) block(new Error("callback"));
      return value;
    });
  }
  function descend(levels: number): number {
    if (levels === 0) {
      block(new Error("recursion"));
      return 0;
    }
    return descend(levels - 1) + 1;
  }
  function* produce(): Generator<number> {
    yield 1;
    block(new Error("generator"));
  }
  async function afterAwait(): Promise<void> {
    await null;
    block(new Error("async"));
  }
  function hot(turn: number): number {
    if (turn < 0) block(new Error("hot"));
    return turn + 1;
  }
  function callsHot(turn: number): number {
    return hot(turn) * 2;
  }

  async function runCases(): Promise<void> {
    plain();
    new Till().ring();
    Till.count();
    inCallback();
    descend(12);
    for (const value of produce()) failures += value - 1;
    await afterAwait();
    // biome-ignore lint/security/noGlobalEval: code made by eval has stack frames of its own
    // biome-ignore lint/complexity/noCommaOperator: an indirect eval, which runs in global scope
    (0, eval)("(b => function inEval() {\n\n  b(new Error('eval')); })")(block)();
    for (let turn = 0; turn < 100_000; turn++) callsHot(turn);
    callsHot(-1);
    how = "wait";
    plain();
  }

  worker.once("message", () => {
    runCases().then(
      () => {
        Atomics.store(control, cells.state, over);
        process.exitCode = failures;
      },
      (error: unknown) => {
        fs.writeSync(2, `${String(error)}\n`);
        process.exit(1);
      },
    );
  });
}

function runWorker(): void {
  const { shared, pid } = workerData as { shared: SharedArrayBuffer; pid: number };
  const control = new Int32Array(shared, 0, 4);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const examine = examiner(pid);
  parentPort?.postMessage("ready");
  for (;;) {
    const state = Atomics.load(control, cells.state);
    if (state === over) return;
    const read = state === blocked ? examine() : null;
    if (read === null) {
      Atomics.wait(idle, 0, 0, 5);
      continue;
    }
    const text = Buffer.from(shared, textAt, control[cells.textBytes]).toString();
    Atomics.store(control, cells.state, 0);
    fs.writeSync(1, `${JSON.stringify({ ...JSON.parse(text), ...read })}\n`);
    // Only a block that waits for this: another may have begun since the line above was written.
    if ((JSON.parse(text) as { how: How }).how !== "wait") continue;
    Atomics.store(control, cells.wait, 1);
    Atomics.notify(control, cells.wait);
  }
}

/** A reading of the main thread's stack; null while that thread is not blocked in read or futex. */
function examiner(pid: number): () => ReturnType<typeof readJsStack> | null {
  const elf = openElf(selfExecutablePath);
  if (!elf.ok) throw new Error(elf.detail);
  const v8 = loadV8Metadata(elf.value);
  const memory = openSelfMemory();
  if (!v8.ok || !memory.ok) throw new Error("no metadata or no memory");
  let last = "";
  return () => {
    const line = fs.readFileSync(`/proc/self/task/${pid}/syscall`, "utf8").trim();
    // The same call twice: the thread has arrived where it stays.
    const settled = line === last && line !== "running";
    last = line;
    const maps = parseMaps(fs.readFileSync("/proc/self/maps", "utf8"));
    if (!settled || !maps.ok) return null;
    const sp = address(Number(line.split(" ").at(-2)));
    const high = maps.value.find(sp)?.high;
    if (high === undefined) return null;
    const start = { fp: null, sp, stackHigh: high };
    const read = readJsStack({ memory: memory.value, maps: maps.value, v8: v8.value, start });
    return read.frames.some((frame) => frame.functionName === "block") ? read : null;
  };
}

if (isMainThread) runMain();
else runWorker();
