// snappy compresses a large buffer on the thread pool.

const { randomBytes } = require("node:crypto");
const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ snappy: tools.load("snappy"), data: randomBytes(48 * 1024 * 1024) }),
  async live(world) {
    for (let call = 0; call < 4; call += 1) await world.snappy.compress(world.data);
  },
});
