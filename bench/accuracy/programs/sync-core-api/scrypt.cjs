// A key is derived with much memory.

const { scryptSync } = require("node:crypto");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("crypto.scryptSync"),
  in: "deriveKey",
  lengthsMs: [2 ** 15, 2 ** 17],
  block: deriveKey,
});

function deriveKey(lengthMs, _world) {
  scryptSync("password", "salt", 64, { N: lengthMs, r: 8, maxmem: 2 ** 30 }); // blocks
}
