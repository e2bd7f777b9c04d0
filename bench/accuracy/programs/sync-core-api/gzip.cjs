// Text is compressed with gzip.

const { gzipSync } = require("node:zlib");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("zlib.gzipSync"),
  in: "compress",
  lengthsMs: [0, 0],
  setup: () => {
    const words = Array.from({ length: 50_000 }, (_, i) =>
      ((i * 2_654_435_761) % 9_973).toString(36),
    );
    return { data: Buffer.from(words.join(" ").repeat(16)) };
  },
  block: compress,
});

function compress(_lengthMs, world) {
  gzipSync(world.data); // blocks
}
