// An addon starts a program and waits for its end.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "wait_child",
  syscall: ["wait4", "waitid"],
  in: "waitChild",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: waitChild,
});

function waitChild(lengthMs, world) {
  world.waits.waitChild(lengthMs); // blocks
}
