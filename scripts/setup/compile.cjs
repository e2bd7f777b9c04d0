// TypeScript to dist/, when a source has changed or an output is missing.

const { existsSync, readFileSync, rmSync } = require("node:fs");
const { join, relative } = require("node:path");
const { capture } = require("./commands.cjs");
const { buildPage, isOfPage, pageOutputs } = require("./page.cjs");
const { inRepository, root } = require("./paths.cjs");
const { withProgress } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");
const { filesBelow, hashOf, readStamp, writeStamp } = require("./stamps.cjs");

const stampFile = inRepository("dist", ".loophound-stamp");
const outputEndings = [".js", ".js.map", ".d.ts"];

/** Compiles what has changed, and removes what has lost its source (a deleted test would still run). */
async function compile() {
  await compileSources();
  await buildPage();
}

async function compileSources() {
  const config = JSON.parse(readFileSync(inRepository("tsconfig.json"), "utf8"));
  const sources = config.include.flatMap((folder) => filesBelow(inRepository(folder), isSource));
  const stamp = stampOf(sources);
  const outputs = sources.filter((path) => !path.endsWith(".d.ts")).map(outputOf);
  const isComplete = outputs.every((path) => existsSync(path));
  if (isComplete && readStamp(stampFile) === stamp) return;
  // tsc takes its own notes for the truth and would not write again what somebody deleted.
  if (!isComplete) rmSync(inRepository("dist", ".tsbuildinfo"), { force: true });
  const tsc = inRepository("node_modules", "typescript", "bin", "tsc");
  const result = await withProgress("compiling", () =>
    capture(process.execPath, [tsc, "-p", inRepository("tsconfig.json")]),
  );
  if (result.status !== 0) {
    throw new SetupError(
      `the sources do not compile:\n${result.tail}`,
      "mend them, then start again",
    );
  }
  removeOrphans(new Set([...outputs, ...pageOutputs]));
  writeStamp(stampFile, stamp);
}

const isSource = (path) => path.endsWith(".ts") && !isOfPage(path);

const outputOf = (source) => inRepository("dist", relative(root, source).replace(/\.ts$/, ".js"));

function stampOf(sources) {
  const settings = ["tsconfig.json", join("node_modules", "typescript", "package.json")];
  const texts = settings.map((path) => readFileSync(inRepository(path)));
  return hashOf([
    ...texts,
    ...sources.flatMap((path) => [relative(root, path), readFileSync(path)]),
  ]);
}

function removeOrphans(outputs) {
  for (const path of filesBelow(inRepository("dist"), () => true)) {
    const ending = outputEndings.find((candidate) => path.endsWith(candidate));
    if (ending === undefined) continue;
    const output = `${path.slice(0, -ending.length)}.js`;
    if (!outputs.has(output)) rmSync(path);
  }
}

module.exports = { compile };
