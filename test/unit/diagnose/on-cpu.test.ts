import { describe, expect, test } from "@jest/globals";
import { judge } from "../../../agent/diagnose/verdict";
import type { Interrupt, Sighting } from "../../../agent/model/evidence";
import type { JsExit, JsFrame } from "../../../agent/model/stack";
import { ms } from "../../../agent/model/units";
import { addonStack, evidenceOf, executable, js, native, sighting, stackOf } from "./evidence-of";

/** The thread on CPU for the whole stall, from 1000 to 1100 ms. */
const onCpu = (changes: Partial<Sighting>): Sighting =>
  sighting({ state: "R", call: null, ...changes });
const left = (exit: JsExit, frames: readonly JsFrame[], weightMs = 100): Sighting =>
  onCpu({ running: "native", stack: { ...stackOf([], frames), exit }, weightMs: ms(weightMs) });
const inJavaScript = (weightMs = 100): Sighting =>
  onCpu({ running: "javascript", weightMs: ms(weightMs) });
const answer = (askedMs: number, answeredMs: number | null, frames: JsFrame[]): Interrupt => ({
  askedMs: ms(askedMs),
  answeredMs: answeredMs === null ? null : ms(answeredMs),
  js: frames,
});

const app = [js("handle", "/app/server.js", 12), js("processTimers", "node:internal/timers", 519)];
const builtin = (name: string): JsFrame => ({
  functionName: name,
  script: null,
  line: null,
  column: null,
  tier: "builtin",
});
const forwarded = { module: "bcrypt_lib.node", function: "hashSync" };

describe("JavaScript on the CPU", () => {
  test("that answered at once is js-cpu, with its function and line", () => {
    const { cause, culprit, confidence } = judge(
      evidenceOf({
        sightings: [inJavaScript()],
        interrupts: [answer(1025, 1025.5, app), answer(1050, 1050.5, app)],
      }),
    );
    expect(cause).toBe("js-cpu");
    expect(confidence).toBeGreaterThan(0.9);
    expect(culprit).toMatchObject({
      module: null,
      symbol: "handle",
      syscall: null,
      site: { function: "handle", file: "/app/server.js", line: 12 },
    });
  });

  test("that never answered is unknown: a thread outside native calls need not be in JavaScript", () => {
    const evidence = evidenceOf({
      sightings: [inJavaScript()],
      interrupts: [answer(1025, null, [])],
    });
    expect(judge(evidence)).toMatchObject({ cause: "unknown", culprit: null });
  });

  test("that was silent for most of the stall is not: native code without JavaScript below it ran", () => {
    const verdict = judge(
      evidenceOf({
        sightings: [inJavaScript()],
        interrupts: [answer(1025, 1080, app), answer(1086, 1086.4, app)],
      }),
    );
    expect(verdict).toMatchObject({ cause: "unknown", culprit: null });
  });

  test("that answered only after a collection was in JavaScript all the same", () => {
    const gc = [{ startMs: ms(1020), durationMs: ms(30), gcKind: "major" as const }];
    const verdict = judge(
      evidenceOf({ sightings: [inJavaScript()], interrupts: [answer(1025, 1051, app)], gc }),
    );
    expect(verdict).toMatchObject({ cause: "js-cpu", culprit: { symbol: "handle" } });
  });

  test("in a package is named with the package and the application's line", () => {
    const parsing = [js("parseArray", "/app/node_modules/redis-parser/lib/parser.js", 300), ...app];
    const { cause, culprit } = judge(
      evidenceOf({ sightings: [inJavaScript()], interrupts: [answer(1025, 1026, parsing)] }),
    );
    expect(cause).toBe("js-cpu");
    expect(culprit).toMatchObject({
      module: "redis-parser",
      symbol: "parseArray",
      site: { file: "/app/server.js", line: 12 },
    });
  });

  test("at several lines of one function is one culprit", () => {
    const at = (line: number) => [js("crunch", "/app/crunch.js", line), ...app];
    const interrupts = [20, 40, 60, 80].map((after, index) =>
      answer(1000 + after, 1000.5 + after, at(10 + index)),
    );
    const { culprit } = judge(evidenceOf({ sightings: [inJavaScript()], interrupts }));
    expect(culprit?.site).toMatchObject({ function: "crunch", file: "/app/crunch.js" });
  });

  test("in a function of the language is named by it: JSON.parse holds the thread in native code", () => {
    const { cause, culprit } = judge(
      evidenceOf({ sightings: [left("builtin", [builtin("parse"), ...app])] }),
    );
    expect(cause).toBe("js-cpu");
    expect(culprit).toMatchObject({ symbol: "JSON.parse", site: { line: 12 } });
  });

  test("in Node's own JavaScript that is no synchronous API is js-cpu, named as people know it", () => {
    const inspecting = [js("formatValue", "node:internal/util/inspect", 800), ...app];
    const { cause, culprit } = judge(evidenceOf({ sightings: [left("runtime", inspecting)] }));
    expect(cause).toBe("js-cpu");
    expect(culprit).toMatchObject({ module: "node:util", symbol: "util.formatValue" });
  });
});

describe("native code on the CPU", () => {
  const marked = onCpu({ running: "native", forwarded, stack: stackOf([], app) });

  test("that a forwarder saw entered is sync-native-cpu, with addon, function and line", () => {
    const { cause, culprit, evidence } = judge(evidenceOf({ sightings: [marked] }));
    expect(cause).toBe("sync-native-cpu");
    expect(culprit).toMatchObject({
      module: "bcrypt_lib.node",
      symbol: "hashSync",
      syscall: null,
      site: { function: "handle", line: 12 },
    });
    expect(evidence[0]).toMatchObject({ kind: "native-call-marked" });
  });

  test("is not blamed for JavaScript that it called back", () => {
    const calledBack = onCpu({ running: "javascript", forwarded });
    const { cause, culprit } = judge(
      evidenceOf({ sightings: [calledBack], interrupts: [answer(1025, 1025.4, app)] }),
    );
    expect(cause).toBe("js-cpu");
    expect(culprit?.module).toBeNull();
  });

  test("that no one can name is unknown, though the line is known that called it", () => {
    expect(judge(evidenceOf({ sightings: [left("api", app)] })).cause).toBe("unknown");
  });

  test("is named by the function that JavaScript called, whether or not a forwarder stands before it", () => {
    const called = { ...native("/app/lib/fast.node", "lockedHash"), trust: "called" as const };
    const stack = { ...stackOf([called], app), exit: "api" as const };
    const outer = { module: "other.node", function: "each" };
    for (const marker of [null, outer]) {
      const sightings = [onCpu({ running: "native", stack, forwarded: marker })];
      const { cause, culprit } = judge(evidenceOf({ sightings }));
      expect(cause).toBe("sync-native-cpu");
      expect(culprit).toMatchObject({ module: "fast.node", symbol: "lockedHash" });
    }
  });

  test("of Node is not an addon's, though a forwarder saw that one call back JavaScript", () => {
    const hashing = [js("Hash.update", "node:internal/crypto/hash", 144), ...app];
    const called = { ...native(executable, "update"), trust: "called" as const };
    const stack = { ...stackOf([called], hashing), exit: "api" as const };
    const { cause, culprit } = judge(
      evidenceOf({ sightings: [onCpu({ running: "native", stack, forwarded })] }),
    );
    expect(cause).toBe("sync-core-api");
    expect(culprit).toMatchObject({ module: "node:crypto", symbol: "crypto.Hash.update" });
  });

  test("of Node that a script calls by itself is named after its C++", () => {
    const symbol = "node::sqlite::StatementSync::Get(v8::FunctionCallbackInfo<v8::Value> const&)";
    const called = { ...native(executable, symbol), trust: "called" as const };
    const stack = { ...stackOf([called], app), exit: "api" as const };
    const { cause, culprit } = judge(
      evidenceOf({ sightings: [onCpu({ running: "native", stack })] }),
    );
    expect(cause).toBe("sync-core-api");
    expect(culprit).toMatchObject({ module: "node:sqlite", symbol: "sqlite.StatementSync.get" });
  });

  test("of Node is sync-core-api, with the API that the application called", () => {
    const digesting = [js("pbkdf2Sync", "node:internal/crypto/pbkdf2", 74), ...app];
    const { cause, culprit } = judge(evidenceOf({ sightings: [left("api", digesting)] }));
    expect(cause).toBe("sync-core-api");
    expect(culprit).toMatchObject({
      module: "node:crypto",
      symbol: "crypto.pbkdf2Sync",
      site: { line: 12 },
    });
  });

  test("of Node behind a wrapper is named as V8 says that it was called", () => {
    const wrapper = js("syncBufferWrapper", "node:zlib", 767);
    const alias = js("syncBufferWrapper [as gzipSync]", "node:zlib", 767);
    const sightings = [left("api", [js("processChunkSync", "node:zlib", 415), wrapper, ...app])];
    const interrupts = [answer(1020, 1099, [alias, ...app])];
    expect(judge(evidenceOf({ sightings, interrupts })).culprit?.symbol).toBe("zlib.gzipSync");
    expect(judge(evidenceOf({ sightings })).culprit).toMatchObject({
      module: "node:zlib",
      symbol: null,
    });
  });

  test("in calls too short to be read is told by the answers between them", () => {
    const removing = [js("rmSync", "node:fs", 1263), ...app];
    const { cause, culprit } = judge(
      evidenceOf({
        sightings: [onCpu({ running: "native", weightMs: ms(70) }), inJavaScript(30)],
        interrupts: [answer(1030, 1031, [js("lstatSync", "node:fs", 1656), ...removing])],
      }),
    );
    expect(cause).toBe("sync-core-api");
    expect(culprit).toMatchObject({ module: "node:fs", symbol: "fs.rmSync", site: { line: 12 } });
  });

  test("is an addon's by its marker alone where V8's memory cannot be read and nobody answered", () => {
    const sightings = [onCpu({ running: null, forwarded })];
    const silent = [answer(1025, 1099, app)];
    expect(judge(evidenceOf({ sightings, interrupts: silent }))).toMatchObject({
      cause: "sync-native-cpu",
      culprit: { module: "bcrypt_lib.node", symbol: "hashSync" },
    });
    const prompt = [answer(1025, 1025.5, app)];
    expect(judge(evidenceOf({ sightings, interrupts: prompt })).cause).toBe("js-cpu");
  });

  test("that answered late names nobody by what ran after it", () => {
    const after = [js("next", "/app/next.js", 3)];
    const sightings = [onCpu({ running: null })];
    const verdict = judge(evidenceOf({ sightings, interrupts: [answer(1025, 1099, after)] }));
    expect(verdict.cause).toBe("unknown");
  });
});

describe("code that is being loaded", () => {
  const loader = [
    js("wrapSafe", "node:internal/modules/cjs/loader", 1400),
    js("require", "node:internal/modules/helpers", 177),
  ];

  test("on the CPU is module-load, called from the application's line", () => {
    const { cause, culprit } = judge(evidenceOf({ sightings: [left("api", [...loader, ...app])] }));
    expect(cause).toBe("module-load");
    expect(culprit).toMatchObject({ symbol: "require", site: { function: "handle", line: 12 } });
  });

  test("and runs its own first lines is module-load too", () => {
    const body = js("Object.<anonymous>", "/app/node_modules/big/index.js", 1);
    const { cause, culprit } = judge(
      evidenceOf({
        sightings: [inJavaScript()],
        interrupts: [answer(1025, 1025.3, [body, ...loader, ...app])],
      }),
    );
    expect(cause).toBe("module-load");
    expect(culprit?.site).toMatchObject({ file: "/app/server.js" });
  });

  test("is no matter of a program's main file: the loader only started it", () => {
    const main = js("Object.<anonymous>", "/app/main.js", 7);
    const { cause } = judge(
      evidenceOf({
        sightings: [inJavaScript()],
        interrupts: [answer(1025, 1025.3, [main, ...loader])],
      }),
    );
    expect(cause).toBe("js-cpu");
  });
});

describe("an addon that computes and waits by turns", () => {
  const reads = (weightMs: number) => sighting({ stack: addonStack, weightMs: ms(weightMs) });
  const computes = (weightMs: number) =>
    onCpu({
      running: "native",
      forwarded: { module: "syncredis.node", function: "ttl" },
      stack: stackOf([], addonStack.js),
      weightMs: ms(weightMs),
    });

  test.each([
    [60, 40, "sync-native-io"],
    [40, 60, "sync-native-cpu"],
  ])("%d ms of reading and %d ms of computing are %s", (readMs, computeMs, cause) => {
    const verdict = judge(evidenceOf({ sightings: [reads(readMs), computes(computeMs)] }));
    expect(verdict.cause).toBe(cause);
    expect(verdict.culprit).toMatchObject({
      module: "syncredis.node",
      site: { function: "checkSession", line: 42 },
    });
  });
});

describe("a loop and the short calls in it", () => {
  const short = (weightMs: number) =>
    onCpu({ running: "native", forwarded, stack: stackOf([], app), weightMs: ms(weightMs) });
  const loop = [answer(1025, 1025.5, app)];

  test("are named for the larger part, less surely, where neither has half of the stall", () => {
    const sightings = [inJavaScript(37), short(45)];
    const verdict = judge(evidenceOf({ sightings, interrupts: loop }));
    expect(verdict).toMatchObject({ cause: "sync-native-cpu", culprit: { symbol: "hashSync" } });
    expect(verdict.confidence).toBeLessThan(0.75);
  });

  test("stay unknown where together they do not have it", () => {
    const sightings = [inJavaScript(20), short(25)];
    expect(judge(evidenceOf({ sightings, interrupts: loop })).cause).toBe("unknown");
  });
});

describe("what an addon's callback does", () => {
  const marked = { module: "re2.node", function: "replace" };
  const visit = js("visit", "/app/visit.js", 3);
  const outside = [js("forwarder", "loophound:forwarder", 21), ...app];
  const exists = [js("existsSync", "node:fs", 280), visit, ...outside];

  test("is not the addon's, though its marker is set", () => {
    const stack = { ...stackOf([], exists), exit: "api" as const };
    const sightings = [onCpu({ running: "native", forwarded: marked, stack })];
    expect(judge(evidenceOf({ sightings }))).toMatchObject({
      cause: "sync-core-api",
      culprit: { symbol: "fs.existsSync", site: { function: "visit", line: 3 } },
    });
  });

  test("is unknown where no stack was read and an answer came from within it", () => {
    const sightings = [onCpu({ running: "native", forwarded: marked })];
    const interrupts = [answer(1050, 1050.5, [visit, ...outside])];
    expect(judge(evidenceOf({ sightings, interrupts })).cause).toBe("unknown");
  });

  test("does not clear an addon that was answered around", () => {
    const sightings = [onCpu({ running: "native", forwarded: marked })];
    for (const frames of [outside, app]) {
      const interrupts = [answer(1050, 1050.5, frames)];
      expect(judge(evidenceOf({ sightings, interrupts })).cause).toBe("sync-native-cpu");
    }
  });
});

describe("time on the CPU that was not the script's", () => {
  const interrupts = [answer(1025, 1025.5, app)];

  test("for garbage collection is gc", () => {
    const gc = [{ startMs: ms(1010), durationMs: ms(70), gcKind: "major" as const }];
    const evidence = { sightings: [inJavaScript()], interrupts, gc };
    expect(judge(evidenceOf({ ...evidence, onCpuMs: ms(100), measuredMs: ms(100) })).cause).toBe(
      "gc",
    );
  });

  test("leaves the script its name where the script had more than any of them", () => {
    const gc = [{ startMs: ms(1010), durationMs: ms(24), gcKind: "major" as const }];
    const figures = { onCpuMs: ms(71), runQueueMs: ms(14), measuredMs: ms(100) };
    const verdict = judge(
      evidenceOf({ sightings: [inJavaScript(85)], interrupts, gc, ...figures }),
    );
    expect(verdict).toMatchObject({ cause: "js-cpu", culprit: { site: { line: 12 } } });
    expect(verdict.confidence).toBeLessThan(0.75);
  });

  test("because others had the CPU is cpu-starved", () => {
    const figures = { onCpuMs: ms(30), runQueueMs: ms(70), measuredMs: ms(100) };
    const evidence = { sightings: [inJavaScript()], interrupts, ...figures };
    expect(judge(evidenceOf(evidence)).cause).toBe("cpu-starved");
  });
});
