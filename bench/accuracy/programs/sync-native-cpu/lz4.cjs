// lz4-napi compresses a large buffer on the loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "sync-native-cpu",
  module: "lz4-napi.linux-x64-gnu.node",
  in: "compress",
  lengthsMs: [0, 0],
  setup(tools) {
    const data = Buffer.alloc(400 * 1024 * 1024);
    for (let i = 0; i < data.length; i += 4) data.writeInt32LE((i * 2_654_435_761) | 0, i);
    return { lz4: tools.load("lz4-napi"), data };
  },
  block: compress,
});

function compress(_size, world) {
  world.lz4.compressSync(world.data); // blocks
}
