// The example's native addon, compiled by calling the compiler: one C file against Node-API, whose headers
// are an npm package. No node-gyp, no headers of one Node version; one file that Node 20 to 26 all load.

const { existsSync, mkdirSync, readFileSync, renameSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { capture, findProgram } = require("./commands.cjs");
const { inRepository } = require("./paths.cjs");
const { withProgress } = require("./progress.cjs");
const { hashOf, readStamp, writeStamp } = require("./stamps.cjs");

const source = inRepository("examples", "incident", "src", "syncredis.c");
const output = inRepository("examples", "incident", "build", "syncredis.node");
const stampFile = `${output}.stamp`;
const headers = inRepository("node_modules", "node-api-headers", "include");
const probe = "#include <stdlib.h>\n#include <hiredis/hiredis.h>\n";

/** Is the compiled file there, and made from the present source for this platform? */
function isAddonFresh() {
  return existsSync(output) && readStamp(stampFile) === stampOf();
}

function stampOf() {
  const headerVersion = readFileSync(join(dirname(headers), "package.json"));
  return hashOf([readFileSync(source), headerVersion, process.platform, process.arch]);
}

/** Which of "compiler" and "hiredis" (with its headers) this machine lacks. */
async function missingForAddon() {
  const compiler = findCompiler();
  if (compiler === null) return ["compiler", "hiredis"];
  if ((await preprocess(compiler, "#include <stdlib.h>\n")) !== 0) return ["compiler", "hiredis"];
  return (await preprocess(compiler, probe)) === 0 ? [] : ["hiredis"];
}

/** $CC where it names a program, else the usual names. */
function findCompiler() {
  const names = [process.env.CC ?? "", "cc", "gcc", "clang"].filter((name) => name !== "");
  const paths = names.map((name) => (existsSync(name) ? name : findProgram(name)));
  return paths.find((path) => path !== null) ?? null;
}

async function preprocess(compiler, input) {
  const args = ["-E", "-x", "c", ...(await includeFlags()), "-"];
  return (await capture(compiler, args, { input })).status;
}

/** Compiles and loads once. Resolves with null, or with a sentence that says why there is no addon. */
async function buildAddon() {
  const compiler = findCompiler();
  mkdirSync(dirname(output), { recursive: true });
  const draft = `${output}.draft`;
  const flags = ["-shared", "-fPIC", "-O2", "-g", "-Wall", "-Wextra", "-DNAPI_VERSION=8"];
  const mac = process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [];
  const libraries = [...(await libraryFlags()), "-lhiredis"];
  const args = [...flags, ...mac, "-I", headers, ...(await includeFlags()), "-o", draft, source];
  const compiled = await withProgress("compiling the example's addon", () =>
    capture(compiler, [...args, ...libraries]),
  );
  if (compiled.status !== 0) return `the compiler says\n${compiled.tail}`;
  const code = `process.dlopen({ exports: {} }, ${JSON.stringify(draft)})`;
  const loaded = await capture(process.execPath, ["-e", code]);
  if (loaded.status !== 0) return `it was compiled and does not load:\n${loaded.tail}`;
  // The finished file appears in one step: a process that has the old one open keeps it.
  renameSync(draft, output);
  writeStamp(stampFile, stampOf());
  return null;
}

const includeFlags = async () => (await brewPrefix()).map((prefix) => `-I${prefix}/include`);
const libraryFlags = async () => (await brewPrefix()).map((prefix) => `-L${prefix}/lib`);

/** Homebrew on Apple silicon is not among the compiler's own folders. */
async function brewPrefix() {
  const brew = process.platform === "darwin" ? findProgram("brew", ["/opt/homebrew/bin"]) : null;
  if (brew === null) return [];
  const { status, output: prefix } = await capture(brew, ["--prefix", "hiredis"]);
  return status === 0 ? [prefix.trim()] : [];
}

module.exports = { isAddonFresh, missingForAddon, buildAddon };
