// @napi-rs/lzma compresses on the loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "lzma.linux-x64-gnu.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    return { xz: tools.load("@napi-rs/lzma").xz, data: tools.words(500_000) };
  },
  block: compress,
});

function compress(_size, world) {
  world.xz.compressSync(world.data); // blocks
}
