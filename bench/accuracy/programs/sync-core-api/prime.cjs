// A large prime number is searched.

const { generatePrimeSync } = require("node:crypto");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("crypto.generatePrimeSync"),
  in: "findPrime",
  lengthsMs: [0, 0],
  block: findPrime,
});

function findPrime(_lengthMs, _world) {
  generatePrimeSync(2_048); // blocks
}
