import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Incident } from "../../../agent/model/incident";
import { describeIncident } from "../../../examples/incident/demo/describe";
import { blamingTheApp, judge, type Truth } from "../../../examples/incident/demo/judge";
import { parseOptions } from "../../../examples/incident/demo/options";
import { openScreen, progressLine } from "../../../examples/incident/demo/screen";
import { summarize } from "../../../examples/incident/latencies";

const sessionsFile = join(__dirname, "../../../examples/incident/sessions.js");
const truth: Truth = { module: "syncredis.node", redisPort: 7001, files: [sessionsFile] };

/** Where the compiler put the call: asked of the source itself, so that no test knows a number. */
function lineOfTheCall(): number {
  const { readFileSync } = require("node:fs") as typeof import("node:fs");
  const lines = readFileSync(sessionsFile, "utf8").split("\n");
  return lines.findIndex((text) => text.includes("redis.blpop(")) + 1;
}

const culprit: NonNullable<Incident["culprit"]> = {
  module: "syncredis.node",
  symbol: "blpop",
  syscall: "read",
  peer: { host: "127.0.0.1", port: 7001 },
  target: null,
  site: { function: "checkSession", file: sessionsFile, line: lineOfTheCall(), column: 1 },
  nativeStack: [],
  jsStack: [],
};
const expire = {
  client: "ioredis",
  command: "EXPIRE",
  host: "127.0.0.1",
  port: 7001,
  count: 3,
  maxMs: 300,
  blame: { queueMs: 0, networkMs: 1, serverMs: 1, loopMs: 298, intendedMs: 0, unknownMs: 0 },
};
const right: Incident = {
  schema: "loophound.incident/1",
  id: "1",
  state: "closed",
  pid: 1,
  threadId: 0,
  startedAt: "2026-01-01T00:00:00.000Z",
  durationMs: 300,
  cause: "sync-native-io",
  confidence: 0.9,
  stall: { startEpochMs: 0, durationMs: 300 },
  culprit,
  commands: [expire],
  evidence: [{ kind: "reply-waiting", says: "the reply to EXPIRE lay unread" }],
  advice: "",
  repeats: 1,
  stalls: [{ startEpochMs: 0, durationMs: 300 }],
};

const failedQuestions = (incidents: readonly Incident[]) =>
  judge(incidents, truth)
    .filter(({ ok }) => !ok)
    .map(({ question }) => question);

describe("the demo's judgement", () => {
  test("passes a verdict that is right in everything", () => {
    expect(failedQuestions([right])).toEqual([]);
  });

  test("fails a run without an incident", () => {
    expect(failedQuestions([])).toEqual(["it reported an incident"]);
  });

  const wrong: readonly [string, Partial<Incident>, RegExp][] = [
    ["cause", { cause: "js-cpu" }, /cause/],
    ["module", { culprit: { ...culprit, module: "other.node" } }, /culprit/],
    ["system call", { culprit: { ...culprit, syscall: "futex" } }, /system call/],
    ["port", { culprit: { ...culprit, peer: { host: "127.0.0.1", port: 6379 } } }, /private Redis/],
    ["line", { culprit: { ...culprit, site: { ...site(), line: lineOfTheCall() + 1 } } }, /line/],
    ["file", { culprit: { ...culprit, site: { ...site(), file: "/app/api.js" } } }, /line/],
    ["command", { commands: [{ ...expire, command: "TTL" }] }, /EXPIRE/],
    ["blame", { commands: [{ ...expire, blame: { ...expire.blame, loopMs: 150 } }] }, /EXPIRE/],
    ["evidence", { evidence: [] }, /unread/],
  ];
  test.each(wrong)("fails a verdict with another %s, and only there", (_, change, question) => {
    const failed = failedQuestions([{ ...right, ...change }]);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(question);
  });

  test("judges the verdict that stands for the most time", () => {
    const light: Incident = { ...right, id: "2", cause: "gc", durationMs: 60 };
    const heavy: Incident = { ...right, id: "3", cause: "gc", durationMs: 60, repeats: 10 };
    expect(failedQuestions([light, right])).toEqual([]);
    expect(failedQuestions([right, heavy])).toEqual(["the cause is sync-native-io"]);
  });

  test("does not hold the machine's own faults against the application", () => {
    const starved: Incident = { ...right, cause: "cpu-starved" };
    expect(blamingTheApp([starved, right])).toEqual([right]);
  });
});

function site(): NonNullable<(typeof culprit)["site"]> {
  if (culprit.site === null) throw new Error("the culprit of this test has a site");
  return culprit.site;
}

describe("describeIncident", () => {
  test("says every fact that the incident has", () => {
    const text = describeIncident(right);
    for (const word of [
      "sync-native-io",
      "300 ms",
      "syncredis.node",
      "blpop",
      "read",
      "127.0.0.1:7001",
    ]) {
      expect(text).toContain(word);
    }
    expect(text).toContain(`checkSession at sessions.js:${lineOfTheCall()}`);
    expect(text).toContain("EXPIRE 3 times, up to 300 ms, of which the blocked loop 298 ms");
    expect(text).toContain("the reply to EXPIRE lay unread");
  });

  test("says that it does not know, instead of leaving the row out", () => {
    const text = describeIncident({
      ...right,
      culprit: { ...culprit, module: null, site: null },
      evidence: [],
    });
    expect(text.match(/not known/g)).toHaveLength(3);
  });
});

describe("describeIncident without a culprit", () => {
  const unexplained: Incident = { ...right, cause: "cpu-starved", culprit: null, commands: [] };

  test("shows the evidence instead", () => {
    const text = describeIncident(unexplained);
    expect(text).toMatch(/because +the reply to EXPIRE lay unread/);
    expect(text).not.toContain("not known");
  });

  test("does not speak of a loop that stood still when there was no stall", () => {
    expect(describeIncident({ ...unexplained, stall: null })).not.toContain("stood still");
  });
});

describe("the demo's command line", () => {
  test("has defaults", () => {
    expect(parseOptions([])).toEqual({
      kind: "run",
      options: { seconds: 10, client: null, json: false },
    });
  });

  test.each([
    [["--seconds", "2"], /--seconds 2/],
    [["--seconds", "many"], /--seconds many/],
    [["--client", "hiredis"], /addon or koffi/],
    [["--no-such-option"], /no-such-option/],
    [["extra"], /extra/],
  ])("names the mistake in %j", (args, says) => {
    const parsed = parseOptions(args);
    expect(parsed).toMatchObject({ kind: "mistake", says: expect.stringMatching(says) });
  });
});

describe("the progress line", () => {
  const state = {
    title: "synchronous",
    elapsedSeconds: 5,
    totalSeconds: 10,
    requests: 7,
    incidents: 1,
  };

  test("shows half of the bar after half of the time", () => {
    expect(progressLine(state)).toContain("[##########----------] 5/10 s");
  });

  test("does not run over", () => {
    expect(progressLine({ ...state, elapsedSeconds: 11 })).toContain(
      "[####################] 10/10 s",
    );
  });

  test("redraws itself on a terminal, and is rare in a log", () => {
    const written = { terminal: "", log: "" };
    const stream = (name: keyof typeof written, isTTY: boolean) =>
      ({
        isTTY,
        write(text: string) {
          written[name] += text;
        },
      }) as unknown as NodeJS.WriteStream;
    for (const name of ["terminal", "log"] as const) {
      const screen = openScreen(stream(name, false), stream(name, name === "terminal"));
      screen.progress(state);
      screen.progress(state);
    }
    expect(written.terminal.match(/\r/g)).toHaveLength(2);
    expect(written.log.match(/\n/g)).toHaveLength(1);
  });
});

describe("summarize", () => {
  test("takes percentiles by nearest rank", () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(summarize(samples)).toEqual({ count: 100, slow: 50, p50Ms: 50, p99Ms: 99, maxMs: 100 });
  });

  test("knows nothing without a sample", () => {
    expect(summarize([])).toEqual({ count: 0, slow: 0, p50Ms: null, p99Ms: null, maxMs: null });
  });
});
