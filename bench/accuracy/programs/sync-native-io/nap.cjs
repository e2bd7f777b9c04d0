// An addon sleeps.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: ["nap", "pause_ms"],
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "takeNap",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: takeNap,
});

function takeNap(lengthMs, world) {
  world.waits.nap(lengthMs); // blocks
}
