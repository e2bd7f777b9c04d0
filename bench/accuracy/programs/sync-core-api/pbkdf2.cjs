// A key is derived.

const { pbkdf2Sync } = require("node:crypto");
const { core, program } = require("../../support/harness.cjs");

program({
  ...core("crypto.pbkdf2Sync"),
  in: "deriveKey",
  block: deriveKey,
});

function deriveKey(lengthMs, _world) {
  pbkdf2Sync("password", "salt", lengthMs * 2_500, 64, "sha512"); // blocks
}
