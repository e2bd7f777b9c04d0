// Promises that resolve promises: the loop never turns, though no function runs for long.

const { program } = require("../../support/harness.cjs");

program({ cause: "js-cpu", lengthsMs: [90, 400], block: storm });

function storm(lengthMs) {
  const endMs = performance.now() + lengthMs;
  const step = () => {
    if (performance.now() < endMs) void Promise.resolve().then(step);
  };
  step();
}
