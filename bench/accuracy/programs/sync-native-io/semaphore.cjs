// An addon waits for a semaphore.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: "wait_semaphore",
  syscall: "futex",
  in: "waitSemaphore",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: waitSemaphore,
});

function waitSemaphore(lengthMs, world) {
  world.waits.waitSemaphore(lengthMs); // blocks
}
