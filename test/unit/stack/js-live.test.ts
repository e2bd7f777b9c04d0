import { spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "@jest/globals";
import type { JsFrame } from "../../../agent/model/stack";
import type { LiveReport } from "./js-live-app";

const app = path.join(__dirname, "js-live-app.js");

/** Runs the app, letting each block go when it has been reported. */
async function reportsOf(flags: readonly string[]): Promise<LiveReport[]> {
  const child = spawn(process.execPath, [...flags, app], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] },
  });
  const reports: LiveReport[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const report = JSON.parse(line) as LiveReport;
    reports.push(report);
    if (report.how === "read") child.stdin.write("x");
  }
  return reports;
}

/** `name file:line` of each frame that V8 named, without class names and `[as x]`. */
function saidFrames(said: string): string[] {
  return said
    .split("\n")
    .filter((line) => line.startsWith("    at ") && !line.startsWith("    at async "))
    .map((line) => {
      const [, name = "", place = ""] = /^ {4}at (?:(.*?) \()?(.*?)\)?$/.exec(line) ?? [];
      // A computed method's name (`EventTarget.[symbol]`) is a property of the function, which is not read.
      const own = name.replace(/ \[as .*$/, "").replace(/^.*\[.*\]$/, "");
      const method = own.replace(/^.*\./, "");
      const position = /^(.*?)(?:, <anonymous>)?:(\d+):\d+$/.exec(place);
      const where = position === null ? "none" : `${position[1]}:${position[2]}`;
      return `${method === "<anonymous>" || method === "" ? "null" : method} ${where}`;
    });
}

/** The same of what was read, from the caller of `block` outwards. */
function readFrames(frames: readonly JsFrame[]): string[] {
  const outward = frames.slice(frames.findIndex((frame) => frame.functionName === "block") + 1);
  return outward.map(({ functionName, script, line }) => {
    const name = functionName?.replace(/^.*\./, "") ?? "null";
    return `${name} ${script === null ? "none" : `${script}:${line}`}`;
  });
}

describe("readJsStack on a thread that is blocked", () => {
  test.each([
    ["as it comes", []],
    ["with baseline code everywhere", ["--always-sparkplug"]],
    ["with code optimized early", ["--no-lazy-feedback-allocation"]],
  ])(
    "names the functions and lines that V8 itself names, %s",
    async (_, flags) => {
      const reports = await reportsOf(flags);
      expect(reports.map((report) => /^Error: (\w+)/.exec(report.said)?.[1])).toEqual([
        ...["plain", "method", "static", "callback", "recursion", "generator", "async", "eval"],
        ...["hot", "plain"],
      ]);
      for (const { said, frames, gaps } of reports) {
        expect(gaps).toEqual([]);
        expect(readFrames(frames)).toEqual(saidFrames(said));
      }
    },
    60_000,
  );

  test("tells the compiler tier of a frame", async () => {
    const [interpreted] = await reportsOf(["--no-opt", "--no-sparkplug", "--no-maglev"]);
    const [baseline] = await reportsOf(["--always-sparkplug"]);
    const tierOfPlain = (report: LiveReport | undefined): string | undefined =>
      report?.frames.find((frame) => frame.functionName === "plain")?.tier;
    expect([tierOfPlain(interpreted), tierOfPlain(baseline)]).toEqual(["interpreted", "baseline"]);
  }, 60_000);

  test("puts the class before a method, and the builtin that was called first", async () => {
    const reports = await reportsOf([]);
    const names = reports.flatMap((report) => report.frames.map((frame) => frame.functionName));
    expect(names).toContain("Till.ring");
    expect(names).toContain("Till.count");
    expect(names).toContain("Array.map");
    expect(reports.at(-1)?.frames[0]).toMatchObject({ functionName: "wait", tier: "builtin" });
  }, 60_000);
});
