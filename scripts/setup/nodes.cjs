// The Node versions that tests and the accuracy suite run on: npm packages that hold a binary and its
// headers, by the lockfile in test/nodes, into .loophound/nodes.

const { copyFileSync, existsSync, readFileSync } = require("node:fs");
const { npm } = require("./npm.cjs");
const { inRepository, inState } = require("./paths.cjs");
const { say } = require("./progress.cjs");
const { hashOf, readStamp, writeStamp } = require("./stamps.cjs");

const manifests = ["package.json", "package-lock.json"];
const sourceOf = (name) => inRepository("test", "nodes", name);

/** Installs what is missing; on another platform, and where npm fails, says that the running version is the only one. */
async function prepareNodes() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    say(`Node ${process.version} alone is tested: the other versions are packaged for Linux x64`);
    return;
  }
  const stampFile = inState("nodes", "node_modules", ".loophound-stamp");
  const stamp = hashOf(manifests.map((name) => readFileSync(sourceOf(name))));
  if (readStamp(stampFile) === stamp && binaries().every((path) => existsSync(path))) return;
  for (const name of manifests) copyFileSync(sourceOf(name), inState("nodes", name));
  try {
    await npm(
      ["ci"],
      "installing Node 20, 22, 24 and 26 (about 230 MB to fetch)",
      inRepository(".loophound", "nodes"),
    );
    writeStamp(stampFile, stamp);
  } catch (error) {
    say(`Node ${process.version} alone is tested: ${error.message}`);
  }
}

function binaries() {
  const { dependencies } = JSON.parse(readFileSync(sourceOf("package.json"), "utf8"));
  return Object.keys(dependencies).map((name) =>
    inState("nodes", "node_modules", name, "bin", "node"),
  );
}

module.exports = { prepareNodes };
