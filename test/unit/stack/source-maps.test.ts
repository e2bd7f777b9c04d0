import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { JsFrame } from "../../../agent/model/stack";
import { createSourceMaps } from "../../../agent/stack/source-maps";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "loophound-maps-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Older than the process that reads them. */
const builtEpochMs = 1_700_000_000_000;
const startedEpochMs = builtEpochMs + 60_000;

function put(name: string, text: string, changedEpochMs = builtEpochMs): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  utimesSync(path, changedEpochMs / 1000, changedEpochMs / 1000);
  return path;
}

const frameIn = (script: string | null, line: number | null = 2): JsFrame => ({
  functionName: "serve",
  script,
  line,
  column: line === null ? null : 5,
  tier: "interpreted",
});

/** Line 2 from column 3 on comes from line 7, column 4 of the source. */
const mapOf = (source: string, extra: object = {}): string =>
  JSON.stringify({ version: 3, sources: [source], mappings: ";EAMG", ...extra });

const look = (script: string | null, line: number | null = 2) =>
  createSourceMaps(startedEpochMs).sourceOf(frameIn(script, line));

const code = "// first\n  serve();\n";
const comment = (url: string): string => `${code}//# sourceMappingURL=${url}\n`;
const inline = (map: string): string =>
  comment(`data:application/json;base64,${Buffer.from(map).toString("base64")}`);

describe("sourceOf", () => {
  test("follows a map in a file, relative to the map", () => {
    put("maps/a.js.map", mapOf("../src/a.ts"));
    const script = put("dist/a.js", comment("../maps/a.js.map"));
    const expected = { file: join(folder, "src/a.ts"), line: 7, column: 4 };
    expect(look(script)).toEqual(expected);
    expect(look(pathToFileURL(script).href)).toEqual(expected);
  });

  test("follows an inline map, also one that is longer than what is read first", () => {
    const script = put("inline.js", inline(mapOf("a.ts")));
    const long = put("long.js", inline(mapOf("a.ts", { sourcesContent: ["x".repeat(200_000)] })));
    const expected = { file: join(folder, "a.ts"), line: 7, column: 4 };
    expect([look(script), look(long)]).toEqual([expected, expected]);
  });

  test("shows webpack's names as paths in the project", () => {
    const script = put("w.js", inline(mapOf("webpack://shop/./src/a.ts")));
    expect(look(script)?.file).toBe("src/a.ts");
  });

  test("takes the last comment", () => {
    put("last.js.map", mapOf("right.ts"));
    const script = put(
      "last.js",
      `const text = "";\n//# sourceMappingURL=wrong\n${comment("last.js.map")}`,
    );
    expect(look(script, 2)?.file).toBe(join(folder, "right.ts"));
  });

  test.each([
    ["a script without a map", () => put("none.js", code)],
    ["a map that is not there", () => put("lost.js", comment("lost.js.map"))],
    ["a map on a server", () => put("far.js", comment("https://example.com/far.js.map"))],
    ["a map that is damaged", () => put("bad.js", inline("{}"))],
    ["a map in a folder's place", () => put("folder.js", comment("."))],
    ["Node's own script", () => "node:fs"],
    ["code made by eval", () => "eval at run (/srv/a.js:1:1)"],
    ["a script that is gone", () => join(folder, "gone.js")],
  ])("leaves %s as it is", (_, make) => {
    expect(look(make())).toBeNull();
  });

  test("leaves a script as it is that was changed after the process began, and so its map", () => {
    put("new.js.map", mapOf("a.ts"));
    const script = put("new.js", comment("new.js.map"), startedEpochMs + 1);
    put("newer.js.map", mapOf("a.ts"), startedEpochMs + 1);
    const other = put("newer.js", comment("newer.js.map"));
    expect([look(script), look(other)]).toEqual([null, null]);
  });

  test("leaves a frame without line or script as it is", () => {
    const script = put("line.js", inline(mapOf("a.ts")));
    expect([look(script, null), look(null), look(script, 1)]).toEqual([null, null, null]);
  });

  test("reads no map of more than 8 MiB", () => {
    const content = ["x".repeat(8 * 1024 * 1024)];
    put("huge.js.map", mapOf("a.ts", { sourcesContent: content }));
    expect(look(put("huge.js", comment("huge.js.map")))).toBeNull();
  });
});
