// zstd-napi compresses at a high level on the loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "binding.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    return { zstd: tools.load("zstd-napi"), data: tools.words(1_500_000) };
  },
  block: compress,
});

function compress(_size, world) {
  world.zstd.compress(world.data, { compressionLevel: 12 }); // blocks
}
