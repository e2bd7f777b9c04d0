// A library's function, called through koffi, computes.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "koffi.node",
  in: "computeByFfi",
  setup(tools) {
    const library = tools.load("koffi").load(tools.library("plain"));
    return { plainCompute: library.func("int plain_compute(int ms)") };
  },
  block: computeByFfi,
});

function computeByFfi(lengthMs, { plainCompute }) {
  plainCompute(lengthMs); // blocks
}
