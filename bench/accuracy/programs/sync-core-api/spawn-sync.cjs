// A program is waited for.

const { spawnSync } = require("node:child_process");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("child_process.spawnSync"),
  syscall: ["epoll_wait", "epoll_pwait"],
  in: "runProgram",
  block: runProgram,
});

function runProgram(lengthMs, _world) {
  spawnSync("sleep", [String(lengthMs / 1_000)]); // blocks
}
