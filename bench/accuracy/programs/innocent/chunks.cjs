// Much to compute, in portions of 8 ms that let the loop turn.

const { innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    for (let portion = 0; portion < 200; portion += 1) {
      const endMs = performance.now() + 8;
      while (performance.now() < endMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
});
