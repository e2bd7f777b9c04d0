// A shell command is waited for.

const { execSync } = require("node:child_process");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("child_process.execSync"),
  syscall: ["epoll_wait", "epoll_pwait"],
  in: "runCommand",
  block: runCommand,
});

function runCommand(lengthMs, _world) {
  execSync(`sleep ${lengthMs / 1_000}`); // blocks
}
