// Text is compressed on the thread pool.

const { promisify } = require("node:util");
const { brotliCompress } = require("node:zlib");
const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => {
    return { data: tools.words(80_000) };
  },
  async live(world) {
    for (let call = 0; call < 3; call += 1) await promisify(brotliCompress)(world.data);
  },
});
