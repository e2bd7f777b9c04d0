// An RSA key is made.

const { generateKeyPairSync } = require("node:crypto");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("crypto.generateKeyPairSync"),
  in: "makeKey",
  lengthsMs: [0, 0],
  block: makeKey,
});

function makeKey(_lengthMs, _world) {
  generateKeyPairSync("rsa", { modulusLength: 4_096 }); // blocks
}
