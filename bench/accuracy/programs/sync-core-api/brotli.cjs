// Text is compressed with brotli at its highest level.

const { brotliCompressSync } = require("node:zlib");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("zlib.brotliCompressSync"),
  in: "compress",
  lengthsMs: [0, 0],
  setup: (tools) => {
    return { data: tools.words(100_000) };
  },
  block: compress,
});

function compress(_lengthMs, world) {
  brotliCompressSync(world.data); // blocks
}
