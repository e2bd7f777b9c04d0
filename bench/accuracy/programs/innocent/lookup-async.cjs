// Names are looked up, asynchronously.

const { lookup } = require("node:dns/promises");
const { healthy, innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let round = 0; round < 40; round += 1) {
      await lookup("localhost");
      await healthy(25);
    }
  },
});
