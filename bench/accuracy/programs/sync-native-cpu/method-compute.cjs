// A method of an addon's class, which can be neither replaced nor wrapped, computes.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "work.node",
  in: "crunchInMethod",
  setup: (tools) => ({ engine: new (tools.addon("work").Engine)() }),
  block: crunchInMethod,
});

function crunchInMethod(lengthMs, { engine }) {
  engine.compute(lengthMs); // blocks
}
