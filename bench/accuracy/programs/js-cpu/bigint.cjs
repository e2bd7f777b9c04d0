// A very large power: one single operation of the language.

const { program } = require("../../support/harness.cjs");

program({
  cause: "js-cpu",
  in: "power",
  lengthsMs: [6_000_000, 14_000_000],
  block: power,
});

function power(exponent) {
  return 3n ** BigInt(exponent); // blocks
}
