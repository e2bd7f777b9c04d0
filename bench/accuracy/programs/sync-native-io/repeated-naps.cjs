// The same block a dozen times in a row: repeats may be gathered, but none may be lost.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: ["nap", "pause_ms"],
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "napAgain",
  lengthsMs: Array.from({ length: 12 }, (_, index) => 60 + index * 7),
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: napAgain,
});

function napAgain(lengthMs, world) {
  world.waits.nap(lengthMs); // blocks
}
