// A plain loop.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "countUp",
  block: countUp,
});

function countUp(lengthMs) {
  const endMs = performance.now() + lengthMs;
  let count = 0;
  while (performance.now() < endMs) {
    // blocks
    count += Math.sqrt(count); // blocks
  }
  return count;
}
