// A program is waited for, with its output.

const { execFileSync } = require("node:child_process");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("child_process.execFileSync"),
  syscall: ["epoll_wait", "epoll_pwait"],
  in: "runFile",
  block: runFile,
});

function runFile(lengthMs, _world) {
  execFileSync("sleep", [String(lengthMs / 1_000)]); // blocks
}
