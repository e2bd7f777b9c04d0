// The package argon2 hashes on the thread pool.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup(tools) {
    // Its binary for Linux ends Node 20 with a segmentation fault, with or without any agent.
    if (process.version.startsWith("v20.")) tools.skip("argon2 0.45.1 does not run on Node 20");
    return { argon2: tools.load("argon2") };
  },
  async live(world) {
    for (let call = 0; call < 4; call += 1) await world.argon2.hash("a password");
  },
});
