// Text is compressed on the thread pool.

const { promisify } = require("node:util");
const { brotliCompress } = require("node:zlib");
const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: () => {
    const words = Array.from({ length: 40_000 }, (_, i) =>
      ((i * 2_654_435_761) % 9_973).toString(36),
    );
    return { data: Buffer.from(words.join(" ")) };
  },
  async live(world) {
    for (let call = 0; call < 3; call += 1) await promisify(brotliCompress)(world.data);
  },
});
