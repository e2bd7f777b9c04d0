// The browser's part of the pages, bundled: a script for each page and one style sheet, with the chart library in them.

const { existsSync, readFileSync } = require("node:fs");
const { join, relative, sep } = require("node:path");
const { capture } = require("./commands.cjs");
const { inRepository, root } = require("./paths.cjs");
const { withProgress } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");
const { filesBelow, hashOf, readStamp, writeStamp } = require("./stamps.cjs");

const folder = inRepository("exporters", "page", "browser");
const stampFile = inRepository("dist", ".loophound-page-stamp");
const output = (name) => inRepository("dist", "exporters", "page", name);
const pageOutputs = ["report.js", "live.js", "page.css"].map(output);

/** Sources of the page are for the browser and have a compiler setting of their own. */
const isOfPage = (path) => path.startsWith(folder + sep);

/** Checks the types and bundles, when something has changed. */
async function buildPage() {
  const stamp = stampOf();
  if (pageOutputs.every((path) => existsSync(path)) && readStamp(stampFile) === stamp) return;
  await withProgress("bundling the page", async () => {
    await checkTypes();
    await bundle();
  });
  writeStamp(stampFile, stamp);
}

function stampOf() {
  const packages = ["typescript", "esbuild", "uplot"].map((name) =>
    inRepository("node_modules", name, "package.json"),
  );
  const types = [
    inRepository("tsconfig.json"),
    inRepository("exporters", "page", "page-data.ts"),
    inRepository("exporters", "page", "summarize.ts"),
    inRepository("exporters", "live", "live-data.ts"),
    inRepository("agent", "model", "incident.ts"),
  ];
  const files = [...filesBelow(folder, () => true), ...packages, ...types];
  return hashOf(files.flatMap((path) => [relative(root, path), readFileSync(path)]));
}

async function checkTypes() {
  const tsc = inRepository("node_modules", "typescript", "bin", "tsc");
  const result = await capture(process.execPath, [tsc, "-p", folder]);
  if (result.status !== 0) throw doesNotBuild(result.tail);
}

async function bundle() {
  const { build } = require("esbuild");
  try {
    await build({
      entryPoints: ["report.ts", "live.ts", "page.css"].map((name) => join(folder, name)),
      outdir: output("."),
      entryNames: "[name]",
      bundle: true,
      minify: true,
      charset: "utf8",
      format: "iife",
      target: ["es2022"],
      legalComments: "inline",
      logLevel: "silent",
    });
  } catch (error) {
    throw doesNotBuild(error.message);
  }
}

const doesNotBuild = (words) =>
  new SetupError(`the page does not build:\n${words}`, "mend it, then start again");

module.exports = { buildPage, isOfPage, pageOutputs };
