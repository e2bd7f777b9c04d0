// Runs npm, whichever is at hand.

const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { capture } = require("./commands.cjs");
const { root } = require("./paths.cjs");
const { withProgress } = require("./progress.cjs");
const { SetupError } = require("./setup-error.cjs");

// Development packages also where NODE_ENV=production or npm's `omit` would leave them out; no install
// scripts, because nothing that the project needs has one that matters (koffi brings its binaries).
const flags = ["--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** Runs npm with these arguments in a folder, without install scripts; rejects when it fails. */
async function npm(args, title, folder = root) {
  const [command, ...first] = npmCommand();
  const result = await withProgress(title, () => {
    const options = { cwd: folder, shell: command === "npm.cmd" };
    return capture(command, [...first, ...args, ...flags], options);
  });
  if (result.status === 0) return;
  throw new SetupError(
    `\`npm ${args[0]}\` ended with status ${result.status}:\n${result.tail}`,
    "check the network and npm's registry setting, then start again",
  );
}

/** npm as it runs us; else the one that came with this Node; else the one on the PATH. */
function npmCommand() {
  const scripts = [
    process.env.npm_execpath ?? "",
    join(dirname(process.execPath), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
  ];
  const script = scripts.find((path) => /npm-cli\.c?js$/.test(path) && existsSync(path));
  if (script !== undefined) return [process.execPath, script];
  return [process.platform === "win32" ? "npm.cmd" : "npm"];
}

module.exports = { npm };
