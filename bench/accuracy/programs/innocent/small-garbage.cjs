// Much short-lived garbage: many small collections, none of them long.

const { innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let round = 0; round < 250; round += 1) {
      Array.from({ length: 15_000 }, (_, i) => ({ i, text: `${i}` }));
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
});
