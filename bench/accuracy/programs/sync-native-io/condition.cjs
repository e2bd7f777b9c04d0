// An addon waits for a condition variable.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "wait_condition",
  syscall: "futex",
  in: "waitCondition",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: waitCondition,
});

function waitCondition(lengthMs, world) {
  world.waits.waitCondition(lengthMs); // blocks
}
