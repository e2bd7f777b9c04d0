// The package "sleep" does what it says.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "node_sleep.node",
  syscall: ["nanosleep", "clock_nanosleep", "select", "pselect6"],
  in: "sleepALittle",
  setup: (tools) => ({ sleep: tools.load("sleep") }),
  block: sleepALittle,
});

function sleepALittle(lengthMs, { sleep }) {
  sleep.usleep(lengthMs * 1_000); // blocks
}
