// Forwarders on the exports of native addons: the application cannot tell them from the functions
// themselves, and the watchdog's side sees which one is running while it runs.

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { compileAddon } from "../support/compile-addon";
import { findNodeVersions } from "../support/node-versions";
import { type AppOptions, runApp } from "../support/run-app";
import { appPath } from "./support/watched-app";

const kinds = ["EXPORT_OBJECT", "EXPORT_FUNCTION", "EXPORT_LOCKED", "EXPORT_FROZEN"];
let files: readonly string[] = [];
beforeAll(() => {
  files = kinds.map((kind) => compileAddon("forwarded.c", kind.toLowerCase(), [kind]));
});
afterAll(() => {
  for (const file of files) rmSync(dirname(file), { recursive: true });
});

async function outputOf(options: AppOptions): Promise<string> {
  const app = runApp({ ...options, env: { LOOPHOUND_START_DELAY_MS: "0", ...options.env } });
  const { code } = await app.exited;
  const [stdout, stderr] = [app.stdout(), app.stderr()];
  await app.stop();
  expect([stderr, code]).toEqual(["", 0]);
  return stdout;
}

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  test.each(kinds)(
    "an application sees the same addon with the agent as without: %s",
    async (kind) => {
      const file = files[kinds.indexOf(kind)] as string;
      const app = { script: appPath("native-exports.js"), args: [file], nodeBinary: binary };
      const without = JSON.parse(await outputOf({ ...app, agent: false }));
      expect(Object.keys(without)).toEqual(["require", "createRequire", "dlopen"]);
      expect(JSON.parse(await outputOf(app))).toEqual(without);
    },
  );

  test.each([
    [[], ["spin", "spin"]],
    [["--disallow-code-generation-from-strings"], ["spin", "spin"]],
  ])(
    "another thread reads the name of a function that spins, with options %p",
    async (nodeArgs, seen) => {
      const [file = ""] = files;
      const output = await outputOf({
        script: appPath("native-spin.js"),
        args: [file],
        nodeArgs,
        nodeBinary: binary,
        agent: false,
      });
      expect(JSON.parse(output)).toEqual({
        before: null,
        during: seen.map((name) => ({ module: "export_object.node", function: name })),
        after: null,
      });
    },
  );

  test("LOOPHOUND_FORWARDERS=off leaves process.dlopen and the addon as they are", async () => {
    const app = {
      script: appPath("native-source.js"),
      args: [files[0] as string],
      nodeBinary: binary,
    };
    expect(await outputOf(app)).toBe("forwarded\n");
    expect(await outputOf({ ...app, env: { LOOPHOUND_FORWARDERS: "off" } })).toBe("native\n");
  });
});
