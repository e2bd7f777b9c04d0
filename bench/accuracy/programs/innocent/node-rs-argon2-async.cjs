// @node-rs/argon2 hashes on the thread pool.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ argon2: tools.load("@node-rs/argon2") }),
  async live(world) {
    for (let call = 0; call < 4; call += 1) {
      await world.argon2.hash("a password", { memoryCost: 65_536, timeCost: 3 });
    }
  },
});
