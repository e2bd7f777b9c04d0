import { SourceMap as NodeSourceMap, type SourceMapPayload } from "node:module";
import { describe, expect, test } from "@jest/globals";
import { buildSync } from "esbuild";
import fc from "fast-check";
import { findOriginal, parseSourceMap } from "../../../agent/stack/source-map";

const built = buildSync({
  stdin: {
    contents: `
      class Till { ring(times: number): string { return "ж".repeat(times) + this.#audit(); }
        #audit(): number { return [1, 2].map((value) => value * 2).length; } }
      export const till = new Till();
      export function serve(): string { return till.ring(3); }`,
    loader: "ts",
    sourcefile: "till.ts",
  },
  minify: true,
  bundle: true,
  format: "cjs",
  sourcemap: "external",
  outfile: "/out/till.js",
  write: false,
});
const [mapText = "", code = ""] = built.outputFiles
  .toSorted((a, b) => b.path.length - a.path.length)
  .map(({ text }) => text);

/** A hundred segments, a column apart, each from the next line of the source. */
const segments = (line: number): string =>
  Array.from({ length: 100 }, (_, at) => (at > 0 ? "CACA" : line > 0 ? "AACA" : "AAAA")).join();

describe("findOriginal", () => {
  const map = parseSourceMap(mapText);
  if (map === null) throw new Error(mapText);

  test("says what node's own reader says, at every place of a minified bundle", () => {
    const other = new NodeSourceMap(JSON.parse(mapText) as SourceMapPayload);
    const lines = code.split("\n");
    expect(code.length).toBeGreaterThan(200);
    for (const [index, line] of lines.entries()) {
      for (let column = 0; column <= line.length; column++) {
        const entry = other.findEntry(index, column);
        const own = findOriginal(map, index + 1, column + 1);
        if (!("originalLine" in entry) || entry.generatedLine !== index) continue;
        expect(own).toMatchObject({
          line: entry.originalLine + 1,
          column: entry.originalColumn + 1,
        });
      }
    }
  });

  test("says of every segment of a long map where it is", () => {
    const lines = Array.from({ length: 40 }, (_, line) => (line % 3 === 2 ? "" : segments(line)));
    const long = { sources: ["a.ts"], mappings: lines.join(";"), checkpoints: null };
    for (let line = 0; line < 40; line++) {
      for (const column of line % 3 === 2 ? [] : [0, 1, 57, 98, 99, 120]) {
        const original = { source: 0, column: 1, line: 100 * (line - Math.floor(line / 3)) + 1 };
        const expected = { ...original, line: original.line + Math.min(column, 99) };
        expect(findOriginal(long, line + 1, column + 1)).toEqual(expected);
      }
    }
    expect(findOriginal(long, 3, 1)).toBeNull();
  });

  test("says nothing of a line without segments, nor before the first segment, nor past the end", () => {
    const sparse = { sources: ["a.ts"], mappings: ";EAAA;;AACA", checkpoints: null };
    expect(findOriginal(sparse, 1, 1)).toBeNull();
    expect(findOriginal(sparse, 2, 2)).toBeNull();
    expect(findOriginal(sparse, 2, 3)).toEqual({ source: 0, line: 1, column: 1 });
    expect(findOriginal(sparse, 3, 9)).toBeNull();
    expect(findOriginal(sparse, 4, 1)).toEqual({ source: 0, line: 2, column: 1 });
    expect(findOriginal(sparse, 5, 1)).toBeNull();
  });

  test("says nothing of code that comes from nowhere", () => {
    expect(
      findOriginal({ sources: ["a.ts"], mappings: "AAAA,E", checkpoints: null }, 1, 9),
    ).toBeNull();
  });

  test("takes any text for mappings, and always ends", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(..."AACgB+/9;,gggg"), maxLength: 200 }),
    );
    fc.assert(
      fc.property(text, fc.nat(8), fc.nat(80), (mappings, line, column) => {
        const found = findOriginal(
          { sources: [], mappings, checkpoints: null },
          line + 1,
          column + 1,
        );
        expect(found === null || (found.line >= 1 && found.column >= 1)).toBe(true);
      }),
    );
  });
});

describe("parseSourceMap", () => {
  test("puts the root before the sources, and takes a prefix off", () => {
    const text = `)]}'\n{"version":3,"sourceRoot":"src","sources":["a.ts",null],"mappings":""}`;
    expect(parseSourceMap(text)).toEqual({
      sources: ["src/a.ts", null],
      mappings: "",
      checkpoints: null,
    });
  });

  test.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["another version", '{"version":2,"sources":[],"mappings":""}'],
    ["an index map", '{"version":3,"sections":[]}'],
  ])("refuses %s", (_, text) => {
    expect(parseSourceMap(text)).toBeNull();
  });
});
