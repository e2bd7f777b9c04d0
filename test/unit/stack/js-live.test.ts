import { describe, expect, test } from "@jest/globals";
import type { JsFrame } from "../../../agent/model/stack";
import { findNodeVersions } from "../../support/node-versions";
import { type NamedPlace, saidPlaces, withoutUnreadClass } from "../../support/v8-words";
import type { LiveReport } from "./js-live-app";
import { reportsOf } from "./js-live-reports";

function readFrames({ frames }: LiveReport): NamedPlace[] {
  const outward = frames.slice(frames.findIndex(isBlock) + 1);
  return outward.map(({ functionName, script, line, column }) => ({
    name: functionName,
    place: script === null ? null : `${script}:${line}:${column}`,
  }));
}

const isNamed =
  (name: string) =>
  ({ functionName }: JsFrame): boolean =>
    functionName === name;
const isBlock = isNamed("block");

function expectWhatV8Said(reports: readonly LiveReport[], drop = (_: NamedPlace) => false): void {
  expect(reports.length).toBeGreaterThan(40);
  for (const report of reports) {
    const { name, gaps } = report;
    const read = readFrames(report).filter((frame) => !drop(frame));
    // From the caller of `block` outwards.
    const said = saidPlaces(report.said.slice(1)).filter((frame) => !drop(frame));
    const frames = withoutUnreadClass(said, read);
    expect({ name, gaps, frames: read }).toEqual({ name, gaps: [], frames });
  }
}

/** Optimized code has such functions of V8 (Array.map) compiled into it, and says nothing of them. */
const isBuiltin = ({ place }: NamedPlace): boolean => place === null;

const interpretedOnly = ["--no-opt", "--no-maglev", "--no-sparkplug"];
const natives = ["--allow-natives-syntax", "--no-always-sparkplug"];
/** Before, Node is built without it. */
const firstWithMaglev = 24;

/** The tiers of the callers of the blocking function in the hot cases, but for one that only TurboFan inlines. */
const hotTiers = (reports: readonly LiveReport[]): Set<string> =>
  new Set(
    reports
      .filter(({ hot, name }) => hot && name !== "map" && name !== "discarded")
      .flatMap(({ frames }) => frames[frames.findIndex(isBlock) + 1]?.tier ?? []),
  );

describe.each(findNodeVersions())(
  "the JavaScript stack of a blocked thread on Node $version",
  (node) => {
    test.each([
      ["as it comes", []],
      ["interpreted", interpretedOnly],
      ["in baseline code", ["--always-sparkplug", "--no-opt", "--no-maglev"]],
      ["in a copy of the interpreter for each function", ["--interpreted-frames-native-stack"]],
    ])("is what V8 itself says, to the column, %s", async (_, flags) => {
      expectWhatV8Said(await reportsOf(node, flags));
    });

    test.each([
      ...(node.major < firstWithMaglev ? [] : [["maglev", "OptimizeMaglevOnNextCall"] as const]),
      ["turbofan", "OptimizeFunctionOnNextCall"] as const,
    ])("is what V8 itself says in code of %s, inlined functions included", async (tier, how) => {
      const reports = await reportsOf(node, natives, how);
      expectWhatV8Said(reports, isBuiltin);
      expect([...hotTiers(reports)]).toEqual([tier]);
      const discarded = reports.find(({ name }) => name === "discarded");
      expect(discarded?.frames.find(isNamed("caller"))?.tier).toBe(tier);
    });

    test("tells the compiler tier of a frame", async () => {
      const tiersOf = async (flags: readonly string[]) =>
        new Set((await reportsOf(node, flags)).map(({ frames }) => frames.find(isBlock)?.tier));
      expect(await tiersOf(interpretedOnly)).toEqual(new Set(["interpreted"]));
      expect(await tiersOf(["--always-sparkplug", "--no-opt"])).toEqual(new Set(["baseline"]));
    });

    test("puts the class before a method, and the builtin that was called first", async () => {
      const reports = await reportsOf(node, []);
      const names = reports.flatMap(({ frames }) => frames.map((frame) => frame.functionName));
      for (const name of ["Till.ring", "Till.open", "new Till", "#count", "get sum", "Array.map"]) {
        expect(names).toContain(name);
      }
      const atomics = reports.find(({ name }) => name === "atomics");
      expect(atomics?.frames[0]).toMatchObject({ functionName: "wait", tier: "builtin" });
    });
  },
);
