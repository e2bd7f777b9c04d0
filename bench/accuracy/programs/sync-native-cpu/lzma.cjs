// @napi-rs/lzma compresses on the loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "lzma.linux-x64-gnu.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    const words = Array.from({ length: 80_000 }, (_, i) =>
      ((i * 2_654_435_761) % 9_973).toString(36),
    );
    return { xz: tools.load("@napi-rs/lzma").xz, data: Buffer.from(words.join(" ")) };
  },
  block: compress,
});

function compress(_size, world) {
  world.xz.compressSync(world.data); // blocks
}
