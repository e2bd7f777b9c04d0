// A block of more than two seconds, which is told while it goes on.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-io",
  module: "waits.node",
  symbol: ["nap", "pause_ms"],
  syscall: ["nanosleep", "clock_nanosleep"],
  in: "takeLongNap",
  lengthsMs: [3_000],
  setup: (tools) => ({ waits: tools.addon("waits") }),
  block: takeLongNap,
});

function takeLongNap(lengthMs, world) {
  world.waits.nap(lengthMs); // blocks
}
