// A large file is unpacked.

const { deflateSync, inflateSync } = require("node:zlib");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("zlib.inflateSync"),
  in: "unpack",
  lengthsMs: [0, 0],
  setup: () => ({ data: deflateSync(Buffer.alloc(300 * 1024 * 1024, "some words and more ")) }),
  block: unpack,
});

function unpack(_lengthMs, world) {
  inflateSync(world.data, { maxOutputLength: 2 ** 30 }); // blocks
}
