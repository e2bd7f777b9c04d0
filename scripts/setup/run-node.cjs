// Runs one of the project's own programs in the foreground.

const { spawn } = require("node:child_process");
const { root } = require("./paths.cjs");

/** Exit statuses of programs that a signal ended, as shells count them. */
const { signals } = require("node:os").constants;

/** Runs `node` with these arguments on our terminal; resolves with its exit status. */
function runNode(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
    // Ctrl-C reaches the whole group. The child decides what it means; we wait for it to clean up.
    const patient = () => undefined;
    const passOn = () => child.kill("SIGTERM");
    process.on("SIGINT", patient);
    process.on("SIGTERM", passOn);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", patient);
      process.off("SIGTERM", passOn);
      resolve(signal === null ? (code ?? 1) : 128 + signals[signal]);
    });
  });
}

module.exports = { runNode };
