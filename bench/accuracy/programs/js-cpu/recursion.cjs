// A function that calls itself.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "fibonacci",
  lengthsMs: [36, 38],
  block: (n) => fibonacci(n),
});

function fibonacci(n) {
  // blocks
  if (n < 2) return n; // blocks
  return fibonacci(n - 1) + fibonacci(n - 2); // blocks
}
