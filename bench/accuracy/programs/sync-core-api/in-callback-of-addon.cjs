// An addon calls back into JavaScript, and that waits in Node's own function: not the addon's doing.

const { execSync } = require("node:child_process");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("child_process.execSync"),
  syscall: ["epoll_wait", "epoll_pwait"],
  in: "calledBack",
  setup: (tools) => ({ work: tools.addon("work") }),
  block: (lengthMs, { work }) => work.callBack(() => calledBack(lengthMs)),
});

function calledBack(lengthMs) {
  execSync(`sleep ${lengthMs / 1_000}`); // blocks
}
