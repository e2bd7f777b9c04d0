// A loop of more than two seconds, which is told while it goes on.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "countLong",
  lengthsMs: [3_000],
  block: countLong,
});

function countLong(lengthMs) {
  const endMs = performance.now() + lengthMs;
  let count = 0;
  while (performance.now() < endMs) {
    // blocks
    count += Math.sqrt(count); // blocks
  }
  return count;
}
