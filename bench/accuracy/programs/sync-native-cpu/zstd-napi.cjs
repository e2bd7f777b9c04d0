// zstd-napi compresses at a high level on the loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "binding.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    const words = Array.from({ length: 60_000 }, (_, i) =>
      ((i * 2_654_435_761) % 9_973).toString(36),
    );
    return { zstd: tools.load("zstd-napi"), data: Buffer.from(words.join(" ").repeat(6)) };
  },
  block: compress,
});

function compress(_size, world) {
  world.zstd.compress(world.data, { compressionLevel: 12 }); // blocks
}
