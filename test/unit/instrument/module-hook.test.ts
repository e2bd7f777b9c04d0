// In child processes: jest has a module loader of its own, in which Node's is never asked.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findNodeVersions } from "../../support/node-versions";

const hookFile = join(__dirname, "../../../agent/instrument/module-hook.js");

const files: Readonly<Record<string, string>> = {
  "preload.cjs": `
    const { installModuleHook } = require(${JSON.stringify(hookFile)});
    const seen = [];
    const target = (suffix) => ({ suffix, adapt: (e) => seen.push(suffix + "=" + e.name) });
    const failing = { suffix: "/lib/failing.js", adapt() { throw new Error("of an adapter"); } };
    const targets = [target("/lib/leaf.js"), target("/lib/nested.js"), failing];
    const hook = installModuleHook(targets);
    process.on("exit", () => process._rawDebug("hook " + hook.kind + " " + seen.join(" ")));`,
  "preload.mjs": `import "./preload.cjs";`,
  "earlier.cjs": `require("client");`,
  "compile-cache.cjs": `
    const { enableCompileCache } = require("node:module");
    enableCompileCache?.(${JSON.stringify("{folder}/cache")});
    require("./app.cjs");`,
  "node_modules/client/package.json": `{ "name": "client", "main": "./lib/index.js" }`,
  "node_modules/client/lib/index.js": `require("./nested.js"); module.exports = class Client {};`,
  "node_modules/client/lib/nested.js": `require("./leaf.js"); exports.name = "nested";`,
  "node_modules/client/lib/leaf.js": `
    exports.name = "not yet"; exports.module = module; exports.name = "leaf";`,
  "node_modules/client/lib/failing.js": `exports.name = "failing";`,
  "app.cjs": `
    require("client");
    require("client/lib/failing.js");
    const { module: leaf } = require("client/lib/leaf.js");
    for (const each of [module, leaf]) {
      console.log(Object.keys(each), Object.getOwnPropertyDescriptor(each, "loaded"));
    }
    console.log(leaf);`,
  "app.mjs": `
    import Client from "client";
    import { module as leaf } from "client/lib/leaf.js";
    console.log(typeof Client, Object.getOwnPropertyDescriptor(leaf, "loaded"));`,
  "throws.cjs": `require("./throws-deeper.cjs");`,
  "throws-deeper.cjs": `
    Error.stackTraceLimit = 100;
    require("./throws-in-target/lib/leaf.js");`,
  "throws-in-target/lib/leaf.js": `null.property;`,
  "throws.mjs": `import "./throws-in-target/lib/leaf.js";`,
  "no-syntax.cjs": `require("./no-syntax/lib/leaf.js");`,
  "no-syntax/lib/leaf.js": `this is not JavaScript`,
};

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-modules-"));
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll("{folder}", folder));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly code: number;
  readonly stdout: string;
  /** Without the line of our preload. */
  readonly stderr: string;
  /** What our preload said at exit; null without it. */
  readonly hook: string | null;
}

function run(binary: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: "" };
    execFile(binary, args, { cwd: folder, env }, (error, stdout, stderr) => {
      const hook = /^hook .*$/m.exec(stderr)?.[0].trimEnd() ?? null;
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, stdout, stderr: stderr.replace(/^hook .*\n/m, ""), hook });
    });
  });
}

const bothSeen = "hook loaded /lib/leaf.js=leaf /lib/nested.js=nested";
const preload = ["--require", "./preload.cjs"];

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  test.each([
    ["required, by a preload that is required", [...preload, "app.cjs"]],
    ["required, by a preload that is imported", ["--import", "./preload.mjs", "app.cjs"]],
    ["imported, by a preload that is required", [...preload, "app.mjs"]],
    ["imported, by a preload that is imported", ["--import", "./preload.mjs", "app.mjs"]],
    ["compiled from the cache", [...preload, "compile-cache.cjs"]],
  ])("adapts each file once, with its complete exports: %s", async (_how, args) => {
    expect(await run(binary, args)).toMatchObject({ code: 0, hook: bothSeen });
    expect(await run(binary, args)).toMatchObject({ code: 0, hook: bothSeen });
  });

  test("adapts what another preload has loaded before", async () => {
    const { code, hook } = await run(binary, ["--require", "./earlier.cjs", ...preload, "app.cjs"]);
    expect(code).toBe(0);
    expect(hook?.split(" ").sort()).toEqual(bothSeen.split(" ").sort());
  });

  test.each([
    ["module objects", "app.cjs"],
    ["module objects of an import", "app.mjs"],
    ["a module that throws, required", "throws.cjs"],
    ["a module that throws, imported", "throws.mjs"],
    ["a module that does not parse", "no-syntax.cjs"],
  ])("leaves no trace in what is printed: %s", async (_what, script) => {
    const plain = await run(binary, [script]);
    const hooked = await run(binary, [...preload, script]);
    expect(plain.stdout + plain.stderr).not.toBe("");
    expect(hooked.hook).toContain("hook loaded");
    expect({ ...hooked, hook: null }).toEqual(plain);
  });
});

describe("where Module does not assign `loaded`", () => {
  const strangeNode = `
    Object.defineProperty(require("node:module").prototype, "loaded", { value: 1, writable: true });`;

  test("wraps the compiler, and says so", async () => {
    writeFileSync(join(folder, "strange.cjs"), strangeNode);
    const args = ["--require", "./strange.cjs", ...preload, "app.cjs"];
    expect(await run(process.execPath, args)).toMatchObject({
      code: 0,
      hook: bothSeen.replace("hook loaded", "hook compile"),
    });
  });
});

test("uninstalling leaves Module as it was, also for modules that are being loaded", async () => {
  const script = `
    const Module = require("node:module");
    const { installModuleHook } = require(${JSON.stringify(hookFile)});
    let adapted = 0;
    const hook = installModuleHook([{ suffix: "/lib/leaf.js", adapt: () => adapted++ }]);
    const loading = new Module("/a/lib/leaf.js");
    const visible = (module) => JSON.stringify(Object.getOwnPropertyDescriptor(module, "loaded"));
    hook.uninstall();
    const later = new Module("/b/lib/leaf.js");
    loading.loaded = later.loaded = true;
    console.log(adapted, Object.hasOwn(Module.prototype, "loaded"), visible(loading), visible(later));`;
  writeFileSync(join(folder, "uninstall.cjs"), script);
  const { stdout } = await run(process.execPath, ["uninstall.cjs"]);
  const plain = `{"value":true,"writable":true,"enumerable":true,"configurable":true}`;
  expect(stdout.trim()).toBe(`0 false ${plain} ${plain}`);
});
