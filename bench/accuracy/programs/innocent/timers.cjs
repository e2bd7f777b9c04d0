// Thousands of timers that do little.

const { healthy, innocent } = require("../../support/harness.cjs");

innocent({
  async live() {
    const counts = Array.from({ length: 2_000 }, () => 0);
    const timers = counts.map((_, i) =>
      setInterval(
        () => {
          counts[i] += 1;
        },
        20 + (i % 50),
      ),
    );
    await healthy(2_000);
    for (const timer of timers) clearInterval(timer);
  },
});
