// Blocks of 25 ms, one after another, with rests: below the threshold of an incident.

const { healthy, innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let block = 0; block < 20; block += 1) {
      const endMs = performance.now() + 25;
      while (performance.now() < endMs);
      await healthy(60);
    }
  },
});
