// An addon waits for a mutex that a thread of its own holds.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "lock_mutex",
  syscall: "futex",
  in: "lockMutex",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: lockMutex,
});

function lockMutex(lengthMs, world) {
  world.waits.lockMutex(lengthMs); // blocks
}
