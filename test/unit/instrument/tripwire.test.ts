// In child processes: jest has a module loader of its own, in which Node's is never asked.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findNodeVersions } from "../../support/node-versions";

const agentFolder = join(__dirname, "../../../agent");
const wireFile = join(agentFolder, "instrument/tripwire.js");
/** As npm installs us. */
const installed = "node_modules/loophound/dist/agent";

const files: Readonly<Record<string, string>> = {
  "preload.cjs": `
    const { installTripwire } = require(${JSON.stringify(wireFile)});
    const trip = () => { globalThis.trips = (globalThis.trips ?? 0) + 1; };
    globalThis.removeWire = installTripwire(trip);
    globalThis.trips ??= 0;`,
  "node_modules/client/index.js": `exports.tripsWhenRun = globalThis.trips; exports.module = module;`,
  "own.js": `exports.module = module;`,
  "package.cjs": `
    const before = trips;
    const { tripsWhenRun, module: loaded } = require("client");
    console.log(before, tripsWhenRun, trips, Object.keys(loaded).join(), loaded.loaded);`,
  "package.mjs": `
    import client from "client";
    console.log(client.tripsWhenRun, trips);`,
  "nothing.cjs": `
    const { module: loaded } = require("./own.js");
    require("node:fs"); require("node:net");
    const { loaded: property } = Object.getOwnPropertyDescriptors(loaded);
    console.log(globalThis.trips ?? 0, Object.keys(loaded).join(), JSON.stringify(property));`,
  "addon.cjs": `
    const saved = process.dlopen;
    const attempt = (open) => { try { open(); } catch (error) { return error.code; } };
    const codes = [attempt(() => require("./none.node")), trips];
    codes.push(attempt(() => process.dlopen({ exports: {} }, "./none.node")), trips);
    process.dlopen = saved;
    codes.push(attempt(() => process.dlopen({ exports: {} }, "./none.node")), trips);
    console.log(codes.join(), saved.name, saved.length);`,
  "wrapped.cjs": `
    const attempt = (open) => { try { open(); } catch (error) { return error.code ?? error.name; } };
    const inner = process.dlopen;
    let calls = 0;
    const wrapper = (...args) => { calls++; return inner.apply(process, args); };
    process.dlopen = wrapper;
    const { prototype } = module.constructor;
    const ours = Object.getOwnPropertyDescriptor(prototype, "loaded");
    Object.defineProperty(prototype, "loaded", {
      get: ours.get, set(value) { calls++; ours.set.call(this, value); }, configurable: true,
    });
    const codes = [trips, attempt(() => process.dlopen({ exports: {} }, "./none.node")), trips, calls];
    codes.push(attempt(() => process.dlopen({ exports: {} }, "./none.node")), trips, calls);
    codes.push(process.dlopen === wrapper);
    const { module: loaded } = require("client");
    console.log(codes.join(), calls, loaded.loaded, trips);`,
  "installed.cjs": `
    const { installTripwire } = require("./${installed}/instrument/tripwire.js");
    globalThis.trips = 0;
    const remove = installTripwire(() => { trips++; });
    const { module: loaded } = require("./${installed}/own.js");
    const before = [trips, Object.hasOwn(loaded, "loaded"), loaded.loaded];
    const { tripsWhenRun } = require("client");
    console.log(before.join(), tripsWhenRun);`,
  [`${installed}/own.js`]: `exports.module = module;`,
  "socket.cjs": `
    const before = trips;
    require("node:net").connect(1, "127.0.0.1").on("error", () => undefined);
    console.log(before, trips);`,
  "removed.cjs": `
    const dlopen = process.dlopen;
    removeWire();
    require("client");
    console.log(trips, dlopen === process.dlopen, Object.hasOwn(module.constructor.prototype, "loaded"));`,
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loophound-tripwire-"));
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  for (const file of ["instrument/tripwire.js", "instrument/wrap.js", "base/guard.js"]) {
    cpSync(join(agentFolder, file), join(folder, installed, file));
  }
  writeFileSync(join(folder, "none.node"), "this is no addon");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function output(binary: string, script: string, isWired = true): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NODE_OPTIONS: "" };
    const preload = isWired ? ["--require", "./preload.cjs"] : [];
    execFile(binary, [...preload, script], { cwd: folder, env }, (error, stdout) =>
      error === null ? resolve(stdout.trim()) : reject(error),
    );
  });
}

describe.each(findNodeVersions())("on Node $version", ({ binary }) => {
  test("trips before a package's first file runs, required or imported, and once", async () => {
    expect(await output(binary, "package.cjs")).toMatch(/^0 1 1 id,path,exports,.*loaded.* true$/);
    expect(await output(binary, "package.mjs")).toBe("1 1");
  });

  test("is not tripped by the application's own files and Node's modules, which look as ever", async () => {
    const wired = await output(binary, "nothing.cjs");
    expect(wired).toMatch(/^0 id,path,exports,/);
    expect(wired).toBe(await output(binary, "nothing.cjs", false));
  });

  test("trips before an addon is loaded, whose failure stays what it is", async () => {
    const code = "ERR_DLOPEN_FAILED";
    expect(await output(binary, "addon.cjs")).toBe(
      `${[code, 1, code, 1, code, 1].join()} dlopen ${process.dlopen.length}`,
    );
  });

  test("goes on to the original where somebody has wrapped what it replaced", async () => {
    const code = "ERR_DLOPEN_FAILED";
    expect(await output(binary, "wrapped.cjs")).toBe(
      `${[0, code, 1, 1, code, 1, 2, true].join()} 3 true 1`,
    );
  });

  test("is not tripped by the agent's own files where it is installed as a package", async () => {
    expect(await output(binary, "installed.cjs", false)).toBe("0,true,true 1");
  });

  test("trips when a socket is opened", async () => {
    expect(await output(binary, "socket.cjs")).toBe("0 1");
  });

  test("leaves nothing behind when it is taken away", async () => {
    expect(await output(binary, "removed.cjs")).toBe("0 false false");
  });
});
