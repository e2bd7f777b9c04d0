// An addon computes.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "work.node",
  symbol: ["compute", "grind"],
  in: "crunch",
  setup: (tools) => ({ work: tools.addon("work") }),
  block: crunch,
});

function crunch(lengthMs, world) {
  world.work.compute(lengthMs); // blocks
}
