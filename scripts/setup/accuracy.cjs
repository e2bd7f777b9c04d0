// What the accuracy suite needs beside the tests: native modules of others and of ours, compiled for each Node
// version where they are not one file for all. Whatever fails is said, and the programs that need it are skipped.

const { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } = require("node:fs");
const { cpSync, rmSync, symlinkSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { capture, findProgram } = require("./commands.cjs");
const { npm } = require("./npm.cjs");
const { inRepository, inState } = require("./paths.cjs");
const { say, withProgress } = require("./progress.cjs");
const { filesBelow, hashOf, readStamp, writeStamp } = require("./stamps.cjs");
const { installOnDebian, remedyFor } = require("./system-packages.cjs");

const source = (...parts) => inRepository("bench", "accuracy", ...parts);
const packages = inRepository(".loophound", "accuracy", "packages");

/** Our addons by their C file, with what they are linked with; plain.c is a library without Node-API. */
const addons = {
  waits: ["-lresolv", "-lpthread"],
  work: [],
  rabbit: ["-lrabbitmq"],
  plain: [],
};

/** Modules that come as sources. The binaries of the others serve every version. */
const sourcesOnly = ["better-sqlite3", "deasync", "fs-ext", "libpq", "sleep", "zstd-napi"];

async function prepareAccuracy() {
  await installAccuracyPackages();
  await compileAddons();
  for (const node of nodes()) await compileModules(node);
}

async function installAccuracyPackages() {
  const manifests = ["package.json", "package-lock.json"];
  const stampFile = join(packages, "node_modules", ".loophound-stamp");
  const stamp = hashOf(manifests.map((name) => readFileSync(source(name))));
  if (readStamp(stampFile) === stamp) return;
  for (const name of manifests) copyFileSync(source(name), inState("accuracy", "packages", name));
  await npm(["ci"], "installing the accuracy suite's modules (180 MB on disk)", packages);
  writeStamp(stampFile, stamp);
}

async function compileAddons() {
  const missing = Object.keys(addons).filter((name) => !isFresh(name));
  let failed = await compileEach(missing);
  if (failed.length > 0) {
    await installOnDebian(["accuracy"]);
    failed = await compileEach(failed);
  }
  if (failed.length > 0) {
    say(`not compiled, and their programs are skipped: ${failed.join(", ")}.c`);
    say(`to have them: ${remedyFor(["accuracy"])}`);
  }
}

async function compileEach(names) {
  const failed = [];
  for (const name of names) if (!(await compileAddon(name))) failed.push(name);
  return failed;
}

const outputOf = (name) =>
  inState("accuracy", "addons", `${name}.${name === "plain" ? "so" : "node"}`);

const stampOfAddon = (name) =>
  hashOf([
    readFileSync(source("native", `${name}.c`)),
    readFileSync(source("native", "node_args.h")),
    addons[name].join(" "),
  ]);

const isFresh = (name) =>
  existsSync(outputOf(name)) && readStamp(`${outputOf(name)}.stamp`) === stampOfAddon(name);

async function compileAddon(name) {
  const headers = inRepository("node_modules", "node-api-headers", "include");
  const flags = ["-O2", "-g", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-I", headers];
  const args = [...flags, source("native", `${name}.c`), "-o", outputOf(name), ...addons[name]];
  const { status } = await capture(process.env.CC ?? "cc", args);
  if (status === 0) writeStamp(`${outputOf(name)}.stamp`, stampOfAddon(name));
  return status === 0;
}

/** The binaries to compile for: those of the set-up, else the running one, where its headers are beside it. */
function nodes() {
  const folder = inRepository(".loophound", "nodes", "node_modules");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^n\d+$/.test(name)) : [];
  const found = names.map((name) => ({ name, home: join(folder, name) }));
  const own = `n${process.versions.node.split(".")[0]}`;
  if (!names.includes(own)) found.push({ name: own, home: join(dirname(process.execPath), "..") });
  return found.filter(({ home }) => existsSync(join(home, "include", "node", "node.h")));
}

/** A folder of packages for one Node version: links to the common ones, and copies of those compiled for it. */
async function compileModules({ name, home }) {
  const folder = inRepository(".loophound", "accuracy", name, "node_modules");
  const shared = join(packages, "node_modules");
  const stamp = readStamp(join(shared, ".loophound-stamp"));
  const stampFile = join(folder, ".loophound-stamp");
  if (readStamp(stampFile) === stamp) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(shared)) {
    if (!entry.startsWith(".") && !sourcesOnly.includes(entry))
      symlinkSync(join(shared, entry), join(folder, entry));
  }
  const failed = [];
  for (const module of sourcesOnly) {
    cpSync(join(shared, module), join(folder, module), { recursive: true });
    if (!(await compileModule(name, home, module))) failed.push(module);
  }
  if (failed.length > 0)
    say(`not compiled for ${name}, and their programs are skipped: ${failed.join(", ")}`);
  writeStamp(stampFile, stamp);
}

async function compileModule(name, home, module) {
  const folder = inRepository(".loophound", "accuracy", name, "node_modules", module);
  const gyp = join(packages, "node_modules", "node-gyp", "bin", "node-gyp.js");
  const own = join(home, "bin", "node");
  const nice = findProgram("nice");
  const command = [...(nice === null ? [] : [nice]), own, gyp, "rebuild", "--release"];
  const { status } = await withProgress(`compiling ${module} for ${name}`, () =>
    capture(command[0], [...command.slice(1), `--nodedir=${home}`], { cwd: folder }),
  );
  // The objects are a hundred times the size of the result.
  const objects = filesBelow(join(folder, "build"), (path) => /\.(?:o|a|d)$/.test(path));
  for (const path of objects) rmSync(path);
  return status === 0;
}

module.exports = { prepareAccuracy };
