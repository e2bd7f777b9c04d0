// An addon computes on the thread pool, as it should.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ work: tools.addon("work") }),
  async live(world) {
    for (let call = 0; call < 3; call += 1) {
      await new Promise((resolve) => world.work.inPool(300, true, resolve));
    }
  },
});
