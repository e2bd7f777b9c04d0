// snappy compresses a large buffer on the loop.

const { randomBytes } = require("node:crypto");
const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "snappy.linux-x64-gnu.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    return { snappy: tools.load("snappy"), data: randomBytes(256 * 1024 * 1024) };
  },
  block: compress,
});

function compress(_size, world) {
  world.snappy.compressSync(world.data); // blocks
}
