// An addon waits for the end of a thread of its own.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "join_thread",
  syscall: "futex",
  in: "joinThread",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: joinThread,
});

function joinThread(lengthMs, world) {
  world.waits.joinThread(lengthMs); // blocks
}
