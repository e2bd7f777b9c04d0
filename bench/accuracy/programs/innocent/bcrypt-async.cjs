// bcrypt.hash: the same work as hashSync, on the thread pool.

const { innocent } = require("../../support/harness.cjs");

innocent({
  setup: (tools) => ({ bcrypt: tools.load("bcrypt") }),
  async live(world) {
    for (let call = 0; call < 3; call += 1) await world.bcrypt.hash("a password", 12);
  },
});
