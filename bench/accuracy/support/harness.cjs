// What a labelled program is written with. It runs the program's blocks one at a time, each in a turn of
// the event loop of its own, and writes the truth about them as it measured it: docs/accuracy.md has the format.
// Nothing here knows of any agent.

const { appendFileSync, readFileSync } = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { threadId } = require("node:worker_threads");
const { byCollections, collectionMs, watchCollections } = require("./collections.cjs");
const { readThreadTimes } = require("./thread-times.cjs");
const { tools, endHelpers } = require("./tools.cjs");

const schema = "accuracy.truth/1";
/** An agent may take a second to come up: blocks before that are told apart by `startAgeMs`. */
const readyAgeMs = 1_700;
/** Before a block, and after the last one: the loop is healthy, and agents may write what they saw. */
const healthyMs = 180;
/** After each block: its end is the end, and not the beginning of what comes next. */
const restMs = 60;
const tickMs = 10;
const processStartMarginMs = 5_000;

const truthFile = process.env.ACCURACY_TRUTH ?? "/dev/stdout";
const write = (entry) =>
  appendFileSync(truthFile, `${JSON.stringify({ schema, threadId, ...entry })}\n`);
const epochMs = () => performance.timeOrigin + performance.now();

/**
 * A labelled program: `cause` and the culprit (`module`, `symbol`, `syscall`, `peer`, `in`: what is
 * left out is not judged), `lengthsMs` and `block(lengthMs, world)`, a synchronous function. Lines of the
 * program's file that end in "// blocks" are those at which it may be found. Optional: `setup(tools)` makes
 * the world; `prepare(lengthMs, world)` is awaited before each block; `startAgeMs` is the process's age at
 * the first block; `idleMs` is the time of sleep before each block; `lingers` says that the machine is not
 * itself again right after the block; `measure(entry, world)` corrects the label by what was measured; `blockOutside`,
 * in the place of `block`, is asynchronous and resolves with the start and length that another process measured.
 */
function program(spec) {
  watchCollections();
  void run(spec, async (world) => {
    for (const lengthMs of spec.lengthsMs ?? [70, 180, 420]) {
      await prepared(spec, lengthMs, world);
      await (spec.idleMs === undefined ? healthy(healthyMs) : sleep(spec.idleMs));
      const entry = await held(spec, lengthMs, world);
      await healthy(restMs);
      if (spec.lingers === true) ignoreSince(entry.startEpochMs + entry.durationMs);
      const measured = { ...entry, gcMs: collectionMs(entry) };
      const label = byCollections(labelOf(spec, world), measured);
      write({ kind: "stall", ...label, ...measured, ...spec.measure?.(measured, world) });
    }
  });
}

function ignoreSince(startEpochMs) {
  write({ kind: "ignore", startEpochMs, durationMs: epochMs() - startEpochMs });
}

/** What preparing takes is no part of the experiment. */
async function prepared(spec, lengthMs, world) {
  if (spec.prepare === undefined) return;
  const startEpochMs = epochMs();
  await spec.prepare(lengthMs, world);
  // To the end of this turn of the loop.
  await sleep(tickMs);
  ignoreSince(startEpochMs);
}

function held(spec, lengthMs, world) {
  if (spec.blockOutside === undefined) {
    return measured(() => spec.block(lengthMs, world));
  }
  // Somebody else stops this process and measures; until then, the loop is a healthy one.
  const ticking = setInterval(() => undefined, tickMs);
  return spec.blockOutside(lengthMs, world).finally(() => clearInterval(ticking));
}

/**
 * An innocent twin: `live(world)` is awaited and must not hold the loop. The longest time that the loop
 * did not turn is measured beside it and written with the truth.
 */
function innocent(spec) {
  void run(spec, async (world) => {
    let longestMs = 0;
    let lastMs = performance.now();
    const timer = setInterval(() => {
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs - tickMs);
      lastMs = nowMs;
    }, tickMs);
    const startEpochMs = epochMs();
    if (spec.isIdle === true) clearInterval(timer);
    await spec.live(world);
    clearInterval(timer);
    const durationMs = epochMs() - startEpochMs;
    write({ kind: "innocent", startEpochMs, durationMs, longestMs });
  });
}

async function run(spec, body) {
  try {
    const world = { ...(await spec.setup?.(tools)) };
    const waitMs = (spec.startAgeMs ?? readyAgeMs) - performance.now();
    if (waitMs > 0) await healthy(waitMs);
    // Whatever loading and preparing took is no part of the experiment.
    // A worker does not know when its process began.
    const startEpochMs = performance.timeOrigin - processStartMarginMs;
    ignoreSince(startEpochMs);
    await body(world);
    await healthy(healthyMs);
    write({ kind: "end", startEpochMs: epochMs(), durationMs: 0 });
    await spec.teardown?.(world);
  } catch (error) {
    const why = error.code === "ACCURACY_SKIP" ? "skipped" : "failed";
    write({ kind: why, why: error.code === "ACCURACY_SKIP" ? error.message : error.stack });
  }
  endHelpers();
  process.exit();
}

/** The label of one of Node's own functions, written as people write it: `fs.readFileSync`. */
const core = (symbol) => ({
  cause: "sync-core-api",
  module: `node:${symbol.split(".")[0]}`,
  symbol,
});

/** A loop that turns every 10 ms, as one that has something to do. */
async function healthy(lengthMs) {
  const endMs = performance.now() + lengthMs;
  while (performance.now() < endMs) await sleep(tickMs);
}

/**
 * Runs `block` in a turn of its own. It ends with that turn: what a function leaves behind (microtasks, a collection)
 * holds the loop as well.
 */
function measured(block) {
  return new Promise((resolve, reject) => {
    setTimeout(() => {
      const before = readThreadTimes();
      const startEpochMs = epochMs();
      setImmediate(() => {
        const durationMs = epochMs() - startEpochMs;
        const after = readThreadTimes();
        const onCpuMs = after.onCpuMs - before.onCpuMs;
        const runQueueMs = after.runQueueMs - before.runQueueMs;
        resolve({ startEpochMs, durationMs, onCpuMs, runQueueMs });
      });
      try {
        block();
      } catch (error) {
        reject(error);
      }
    }, 1);
  });
}

function labelOf(spec, world) {
  const file = process.argv[1];
  const peer = typeof spec.peer === "function" ? spec.peer(world) : spec.peer;
  const site =
    spec.in === undefined ? {} : { site: { function: spec.in, file, lines: marked(file) } };
  const { cause, module, symbol, syscall } = spec;
  return { cause, culprit: { module, symbol, syscall, peer, ...site } };
}

/** Numbers of the lines that end in "// blocks"; alone on its line, it speaks of the line before. */
function marked(file) {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    if (!line.endsWith("// blocks")) return [];
    return [line.trim() === "// blocks" ? index : index + 1];
  });
}

module.exports = { program, innocent, core, healthy, epochMs };
