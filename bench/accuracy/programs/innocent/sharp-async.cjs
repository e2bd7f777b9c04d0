// sharp resizes images, asynchronously.

const { innocent } = require("../../support/harness.cjs");

const create = { width: 2_000, height: 2_000, channels: 3, background: "#456789" };

innocent({
  setup: (tools) => ({ sharp: tools.load("sharp") }),
  async live(world) {
    for (let call = 0; call < 4; call += 1) {
      await world.sharp({ create }).resize(900, 700).jpeg().toBuffer();
    }
  },
});
