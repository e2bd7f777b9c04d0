// @node-rs/xxhash hashes a very large buffer.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "xxhash.linux-x64-gnu.node",
  in: "digest",
  lengthsMs: [0, 0],
  setup(tools) {
    return { xxhash: tools.load("@node-rs/xxhash"), data: Buffer.alloc(700 * 1024 * 1024, 1) };
  },
  block: digest,
});

function digest(_size, world) {
  world.xxhash.xxh32(world.data); // blocks
}
