// Text is compressed with gzip.

const { gzipSync } = require("node:zlib");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("zlib.gzipSync"),
  in: "compress",
  lengthsMs: [0, 0],
  setup: (tools) => {
    return { data: tools.words(1_200_000) };
  },
  block: compress,
});

function compress(_lengthMs, world) {
  gzipSync(world.data); // blocks
}
