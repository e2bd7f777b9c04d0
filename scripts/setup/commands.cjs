// Other programs: finding them and running them with their output kept for the error message.

const { spawn } = require("node:child_process");
const { accessSync, constants, statSync } = require("node:fs");
const { delimiter, join } = require("node:path");
const { root } = require("./paths.cjs");

/** Enough to show what went wrong, little enough to be read. */
const tailLines = 15;

/**
 * Runs a program to its end. Resolves with its exit status (127 when it cannot be started) and
 * everything it printed; `tail` is the end of that, indented for an error message.
 */
function capture(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ["pipe", "pipe", "pipe"] });
    const chunks = [];
    const finish = (status) => {
      const output = Buffer.concat(chunks).toString();
      resolve({ status, output, tail: tailOf(output) });
    };
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => {
      chunks.push(Buffer.from(error.message));
      finish(127);
    });
    child.on("close", (code) => finish(code ?? 1));
    // A program that ends without reading its input must not end us.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}

function tailOf(output) {
  const lines = output.trimEnd().split("\n").slice(-tailLines);
  return lines.map((line) => `    ${line}`).join("\n");
}

/** The full path of a program on the PATH or in one of the extra folders; null when there is none. */
function findProgram(name, extraFolders = []) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...extraFolders];
  const candidates = folders.filter((folder) => folder !== "").map((folder) => join(folder, name));
  return candidates.find(isProgram) ?? null;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Not there, or not ours to run: the next candidate may be.
  }
}

module.exports = { capture, findProgram, isProgram };
