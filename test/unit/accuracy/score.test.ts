import { describe, expect, test } from "@jest/globals";
import type { Finding } from "../../../bench/accuracy/finding";
import { match } from "../../../bench/accuracy/match";
import { loophound } from "../../../bench/accuracy/readers/loophound";
import { confusionTable, mistakes, summaryTable } from "../../../bench/accuracy/report";
import { quantile, type Result, score } from "../../../bench/accuracy/score";
import { parseTruth, type TrueStall, type Truth } from "../../../bench/accuracy/truth";

const stall = (changes: Partial<TrueStall> = {}): TrueStall => ({
  kind: "stall",
  threadId: 0,
  startEpochMs: 1_000,
  durationMs: 100,
  cause: "sync-native-io",
  culprit: {
    module: "waits.node",
    symbol: ["recv_reply", "take"],
    syscall: "recvfrom",
    peer: { host: "127.0.0.1", port: 7 },
    site: { function: "ask", file: "/p.cjs", lines: [3, 4] },
  },
  onCpuMs: 1,
  runQueueMs: 0,
  ...changes,
});

const finding = (changes: Partial<Finding> = {}): Finding => ({
  threadId: 0,
  startEpochMs: 1_001,
  durationMs: 98,
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "take",
  syscall: "recvfrom",
  peer: { host: "127.0.0.1", port: 7 },
  function: "ask",
  file: "/p.cjs",
  line: 4,
  ...changes,
});

const end: Truth = { kind: "end", threadId: 0, startEpochMs: 9_000, durationMs: 0 };
const innocent = (longestMs: number): Truth => ({
  kind: "innocent",
  threadId: 0,
  startEpochMs: 0,
  durationMs: 5_000,
  longestMs,
});

const result = (truth: readonly Truth[], findings: readonly Finding[]): Result => ({
  program: "a/b",
  node: "v20",
  truth: [...truth, end],
  findings,
  output: "",
});

describe("match", () => {
  test("gives each stall the finding that overlaps it most, and calls a second one extra", () => {
    const longer = finding({ durationMs: 99 });
    const second = finding({ startEpochMs: 1_050, durationMs: 20 });
    const { pairs, extra } = match([stall()], [second, longer]);
    expect(pairs).toEqual([{ stall: stall(), finding: longer }]);
    expect(extra).toEqual([second]);
  });

  test("keeps threads apart", () => {
    const { pairs, extra } = match([stall()], [finding({ threadId: 1 })]);
    expect(pairs[0]?.finding).toBeNull();
    expect(extra).toHaveLength(1);
  });

  test("neither asks for short blocks nor minds that they are found", () => {
    const { pairs, extra } = match([stall({ durationMs: 49 })], [finding({ durationMs: 49 })]);
    expect(pairs).toHaveLength(0);
    expect(extra).toHaveLength(0);
  });

  test("excuses what is found while the program prepares, and after its end", () => {
    const ignored: Truth = { kind: "ignore", threadId: 0, startEpochMs: 900, durationMs: 200 };
    const late = finding({ startEpochMs: 8_990, durationMs: 50 });
    expect(match([ignored, end], [finding(), late]).extra).toHaveLength(0);
    expect(match([end], [finding()]).extra).toHaveLength(1);
  });

  test("sets a stall aside in which the thread mostly waited for a CPU, unless that is its cause", () => {
    const starved = stall({ runQueueMs: 60 });
    expect(match([starved], []).disturbed).toEqual([starved]);
    expect(match([stall({ runQueueMs: 60, cause: "cpu-starved" })], []).pairs).toHaveLength(1);
  });
});

describe("score", () => {
  test("counts every aspect of a stall that was named rightly", () => {
    const { shares, found, wrong, startErrorsMs, lengthErrorsMs } = score([
      result([stall()], [finding()]),
    ]);
    expect(Object.values(shares)).toEqual(Array(7).fill({ right: 1, of: 1 }));
    expect(found).toBe(1);
    expect(wrong).toEqual([]);
    expect([startErrorsMs, lengthErrorsMs]).toEqual([[1], [2]]);
  });

  test.each([
    ["cause", { cause: "js-cpu" }],
    ["module", { module: "other.node" }],
    ["symbol", { symbol: null }],
    ["system call", { syscall: "read" }],
    ["peer", { peer: { host: "127.0.0.1", port: 8 } }],
    ["function", { function: "other" }],
    ["file and line", { line: 5 }],
    ["file and line", { file: "/other.cjs" }],
  ] as const)("counts a wrong %s as that and nothing else", (aspect, change) => {
    const { wrong } = score([result([stall()], [finding(change)])]);
    expect(wrong.map((mistake) => mistake.aspect)).toEqual([aspect]);
  });

  test("does not judge what the label leaves out", () => {
    const { shares } = score([result([stall({ culprit: {} })], [finding({ module: "any" })])]);
    expect(shares.cause.of).toBe(1);
    expect(shares.module.of + shares.symbol.of + shares.peer.of).toBe(0);
  });

  test("counts a missed stall as wrong in everything that could be said of it", () => {
    const { shares, found, confusion, wrong } = score([result([stall()], [])]);
    expect(Object.values(shares)).toEqual(Array(7).fill({ right: 0, of: 1 }));
    expect(found).toBe(0);
    expect(confusion.get("sync-native-io")?.get("missed")).toBe(1);
    expect(wrong[0]?.aspect).toBe("missed");
  });

  test("tells an accusation of an innocent program from a word about the machine", () => {
    const accused = score([result([innocent(3)], [finding()])]).innocent;
    expect(accused.accused).toEqual(["a/b"]);
    const alarmed = score([result([innocent(3)], [finding({ cause: "gc" })])]).innocent;
    expect([alarmed.accused, alarmed.alarmed]).toEqual([[], ["a/b"]]);
    const stalled = score([result([innocent(80)], [finding({ cause: "cpu-starved" })])]).innocent;
    expect([stalled.accused, stalled.alarmed, stalled.stalledByMachine]).toEqual([[], [], ["a/b"]]);
  });

  test("does not excuse an accusation by a late timer of the program's own", () => {
    expect(score([result([innocent(80)], [finding()])]).innocent.accused).toEqual(["a/b"]);
  });

  test("counts a program without an end as failed, and a skipped one as skipped", () => {
    const broken = { ...result([], []), truth: [stall()] };
    const skipped = { ...result([], []), truth: [{ kind: "skipped", why: "no addon" }] as const };
    expect(score([broken]).failed).toEqual(["a/b"]);
    expect(score([skipped]).skipped).toEqual(["a/b"]);
  });
});

test("quantile takes the value below which the share lies, and has none of nothing", () => {
  expect(quantile([5, 1, 3, 2, 4], 0.5)).toBe(3);
  expect(quantile([5, 1, 3, 2, 4], 0.99)).toBe(5);
  expect(quantile([], 0.5)).toBeNull();
});

test("parseTruth refuses a line of another schema", () => {
  expect(() => parseTruth('{"kind":"end"}\n')).toThrow(/accuracy.truth/);
});

test("the tables name versions, shares and what was said instead", () => {
  const scores = new Map([["v20", score([result([stall()], [finding({ cause: "unknown" })])])]]);
  expect(summaryTable(scores)).toContain("| cause | 0.0 % (0/1) |");
  expect(confusionTable(scores)).toContain("| sync-native-io |  | 1 |");
  expect(mistakes(scores)).toContain("v20 a/b: cause: expected sync-native-io, got unknown");
});

describe("the reader of loophound's log", () => {
  const incident = {
    schema: "loophound.incident/1",
    id: "x",
    state: "closed",
    threadId: 0,
    cause: "sync-core-api",
    stall: { startEpochMs: 1, durationMs: 60 },
    stalls: [{ startEpochMs: 1, durationMs: 60 }],
    culprit: null,
  };
  const read = (...lines: object[]) =>
    loophound.read(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

  test("takes the last word on an incident that was told while it went on", () => {
    const open = { ...incident, state: "open", stalls: [{ startEpochMs: 1, durationMs: 20 }] };
    expect(read(open, incident).map(({ durationMs }) => durationMs)).toEqual([60]);
  });

  test("unfolds repeats, and leaves slow commands out", () => {
    const folded = { ...incident, stalls: [incident.stall, { startEpochMs: 99, durationMs: 70 }] };
    expect(read(folded)).toHaveLength(2);
    expect(read({ ...incident, stall: null, stalls: [] })).toHaveLength(0);
  });
});
