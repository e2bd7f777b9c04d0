// An addon sleeps often and shortly: no single call is long.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: ["many_naps", "pause_ms"],
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "takeManyNaps",
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: takeManyNaps,
});

function takeManyNaps(lengthMs, world) {
  world.waits.manyNaps(lengthMs); // blocks
}
