// What an incident names when the application was bundled, minified and given a source map.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { buildSync } from "esbuild";
import type { Incident } from "../../agent/model/incident";
import { blockingLine, startWatched, type WatchedApp } from "./support/watched-app";

const folder = mkdtempSync(join(tmpdir(), "loophound-bundle-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const watched: WatchedApp[] = [];
afterEach(async () => {
  for (const one of watched.splice(0)) await one.stop();
});

/** Most of the stall, also on a machine that lets the process wait for its CPU. */
const heldMs = 800;

/** This file runs as dist/test/e2e/source-maps.linux.test.js. */
const source = join(__dirname, "../../../test/fixtures/apps/block-in-read.ts");
const column = (text: string) =>
  readFileSync(source, "utf8").split("\n")[blockingLine(source) - 1]?.indexOf(text);

function bundle(name: string, sourcemap: "linked" | "inline", format: "cjs" | "esm"): string {
  const outfile = join(folder, name);
  const options = { bundle: true, minify: true, platform: "node", keepNames: true } as const;
  buildSync({ ...options, entryPoints: [source], outfile, sourcemap, format });
  return outfile;
}

async function incidentOf(script: string, env: Record<string, string> = {}): Promise<Incident> {
  const one = await startWatched(script, { env: { LOOPHOUND_SOURCE_MAPS: "on", ...env } });
  watched.push(one);
  one.go.letGo();
  await one.stalledFor(heldMs);
  one.hold.letGo();
  return one.app.waitForIncident(
    ({ state, culprit }) => state === "closed" && culprit?.module === "node:fs",
  );
}

describe("a bundled and minified application", () => {
  test.each([
    ["a map beside it", "linked.cjs", "linked", "cjs"],
    ["a map inside it", "inline.cjs", "inline", "cjs"],
    ["a map, as an ECMAScript module", "module.mjs", "linked", "esm"],
  ] as const)(
    "is named by its source's file, line and column, with %s",
    async (_, name, maps, format) => {
      const script = bundle(name, maps, format);
      const { culprit } = await incidentOf(script);
      const place = {
        file: source,
        line: blockingLine(source),
        column: (column("readSync") ?? 0) + 1,
      };
      expect(culprit?.site).toMatchObject({ ...place, generated: { file: script } });
      expect(culprit?.jsStack.join("\n")).toContain(
        `(${place.file}:${place.line}:${place.column})`,
      );
    },
  );

  test("is named by what runs when source maps are off", async () => {
    const script = bundle("off.cjs", "linked", "cjs");
    const { culprit } = await incidentOf(script, { LOOPHOUND_SOURCE_MAPS: "off" });
    expect(culprit?.site).toMatchObject({ file: script });
    expect(culprit?.site).not.toHaveProperty("generated");
  });
});
