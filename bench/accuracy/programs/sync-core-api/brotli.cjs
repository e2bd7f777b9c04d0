// Text is compressed with brotli at its highest level.

const { brotliCompressSync } = require("node:zlib");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("zlib.brotliCompressSync"),
  in: "compress",
  lengthsMs: [0, 0],
  setup: () => {
    const words = Array.from({ length: 160_000 }, (_, i) =>
      ((i * 2_654_435_761) % 9_973).toString(36),
    );
    return { data: Buffer.from(words.join(" ").repeat(1)) };
  },
  block: compress,
});

function compress(_lengthMs, world) {
  brotliCompressSync(world.data); // blocks
}
